import { Type } from 'typebox'
import type { ApiDescription } from '../shared/api-description.ts'
import { accountCalls, appCalls, groupCalls } from './description/accounts.ts'
import { approvalRequestCalls } from './description/approval-requests.ts'
import { cryptoCalls, keyCalls } from './description/keys.ts'
import { sessionCalls } from './description/session.ts'
import { userCalls } from './description/users.ts'

/** What `/fortanix/openapi.json` says. */
export const fortanixDescription: ApiDescription = {
  title: 'Quorate, Fortanix API',
  description:
    'As much of the API of Fortanix DSM as quorum approval needs. Where a call needs approval it is refused with 403 and ' +
    '`This operation requires approval`. A member that is null counts as left out.',
  securitySchemes: {
    bearer: { type: 'http', scheme: 'bearer', description: 'A session.' },
    basic: { type: 'http', scheme: 'basic', description: 'The id and the secret of an app.' },
  },
  security: [{ bearer: [] }, { basic: [] }],
  refusal: { mediaType: 'text/plain', schema: Type.String() },
  areas: {
    'approval requests': approvalRequestCalls,
    session: sessionCalls,
    users: userCalls,
    accounts: accountCalls,
    groups: groupCalls,
    apps: appCalls,
    keys: keyCalls,
    crypto: cryptoCalls,
  },
}
