import { Type } from 'typebox'
import type { ApiDescription } from '../shared/api-description.ts'
import { authCalls } from './description/auth.ts'
import { apiClientCalls, localUserCalls, roleCalls } from './description/stores.ts'
import { requestCalls, settingsCalls, workflowCalls } from './description/workflow-engine.ts'

const problem = { error_code: Type.String(), error_message: Type.String(), property: Type.Optional(Type.String()) }

/** What `/privx/openapi.json` says. */
export const privxDescription: ApiDescription = {
  title: 'Quorate, PrivX API',
  description:
    "The API of PrivX's workflow engine, with as much of its neighbours as its clients need. A member that is null counts as left out.",
  securitySchemes: {
    bearer: { type: 'http', scheme: 'bearer' },
    basic: { type: 'http', scheme: 'basic', description: 'The OAuth client, at the token endpoint alone.' },
  },
  security: [{ bearer: [] }],
  refusal: {
    mediaType: 'application/json',
    schema: Type.Object({ ...problem, details: Type.Optional(Type.Array(Type.Object(problem))) }),
  },
  areas: {
    workflows: workflowCalls,
    requests: requestCalls,
    settings: settingsCalls,
    'signing in': authCalls,
    'role store': roleCalls,
    'local users': localUserCalls,
    'API clients': apiClientCalls,
  },
}
