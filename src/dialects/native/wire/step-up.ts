import { Type } from 'typebox'
import { noStore } from '../../shared/no-store.ts'
import { answers, noBody } from './schemas.ts'
import { AccessTokenSchema, AuthorizationUrlSchema, StepUpSchema } from './sign-in.ts'

const tags = ['Authentication']

export const cliInitiate = {
  onSend: noStore,
  // A flow is noted down although this is a GET.
  config: { lever: 'read_only_mode' },
  schema: {
    tags,
    summary: 'Start a step-up: sends the person to sign in afresh',
    querystring: Type.Object({ redirectUri: Type.Optional(Type.String()) }),
    response: answers({ 302: noBody }),
  },
} as const

export const cliExchange = {
  onSend: noStore,
  schema: {
    tags,
    summary: 'Finish a step-up: a token for one operation',
    body: StepUpSchema,
    response: answers({ 200: AccessTokenSchema }),
  },
}

export const webInitiate = {
  onSend: noStore,
  schema: {
    tags,
    summary: 'Start a step-up in a browser: where to send the person',
    response: answers({ 200: AuthorizationUrlSchema }),
  },
}

export const webExchange = {
  onSend: noStore,
  schema: {
    tags,
    summary: 'Finish a step-up in a browser: a cookie for one operation',
    body: StepUpSchema,
    response: answers({ 204: noBody }),
  },
}
