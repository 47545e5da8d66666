import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Ctx } from '../../../context.ts'
import { openDeviceRegistration } from '../../../custody/devices.ts'
import {
  completeByAssertion,
  completeByRecoveryCode,
  endSession,
  lockDevices,
  refreshSession,
  selectAccount,
  unlockDevices,
} from '../../../custody/sessions.ts'
import { signInAgain, signInApp, signInPerson, type BegunSession } from '../../../custody/sign-in.ts'
import { AppError } from '../../../errors.ts'
import { idOf } from '../../shared/ids.ts'
import { noStore } from '../../shared/no-store.ts'
import { pairOf } from '../auth.ts'
import { parseAssertion, renderCreationOptions } from '../wire/factors.ts'
import { parseProtocol } from '../wire/devices.ts'
import { nothing } from '../wire/nothing.ts'
import { parseAccountId, parseSignIn, parseText, renderSession } from '../wire/session.ts'

/** Contract fortanix §2. */
export function sessionRoutes(app: FastifyInstance, ctx: Ctx): void {
  app.post('/session/auth', { config: { public: true }, onSend: noStore }, async (request) =>
    renderSession(await signIn(ctx, request)),
  )

  app.post('/session/select_account', async ({ custodian, body }) => {
    await selectAccount(ctx, custodian, parseAccountId(body))
    return {}
  })

  app.post('/session/refresh', async ({ custodian }, reply) => {
    await refreshSession(ctx, custodian)
    return nothing(reply)
  })

  app.post('/session/reauth', { onSend: noStore }, async ({ custodian }) =>
    renderSession(await signInAgain(ctx, custodian)),
  )

  // Whoever owes a second factor may think better of it.
  app.post('/session/terminate', { config: { allowsPending: true } }, async ({ custodian }, reply) => {
    await endSession(ctx, custodian)
    return nothing(reply)
  })

  factorRoutes(app, ctx)
}

function factorRoutes(app: FastifyInstance, ctx: Ctx): void {
  const pending = { config: { allowsPending: true } }

  app.post('/session/auth/2fa/recovery_code', pending, async ({ custodian, body }, reply) => {
    await completeByRecoveryCode(ctx, custodian, parseText(body, 'recovery_code'))
    return nothing(reply)
  })

  app.post('/session/auth/2fa/fido2', pending, async ({ custodian, body }, reply) => {
    await completeByAssertion(ctx, custodian, parseAssertion(body, ''))
    return nothing(reply)
  })

  app.post('/session/auth/2fa/u2f', pending, () => {
    throw new AppError('MALFORMED_REQUEST', 'U2F is not accepted here; send a FIDO2 assertion.')
  })

  app.post('/session/config_2fa/auth', async ({ custodian, body }) => {
    await unlockDevices(ctx, custodian, parseText(body, 'password'))
    return {}
  })

  app.post('/session/config_2fa/new_challenge', async ({ custodian, query }) =>
    renderCreationOptions(await openDeviceRegistration(ctx, custodian, parseProtocol(query))),
  )

  app.post('/session/config_2fa/terminate', async ({ custodian }, reply) => {
    await lockDevices(ctx, custodian)
    return nothing(reply)
  })
}

/** A user by address and password, or an app by its key, in the header or in the body. */
async function signIn(ctx: Ctx, { headers, body }: FastifyRequest): Promise<BegunSession> {
  if (headers.authorization === undefined && body !== undefined) {
    const sent = parseSignIn(body)
    if (sent.kind === 'app') return await signInApp(ctx, sent.key, sent.secret)
    return await signInPerson(ctx, sent.email, sent.password)
  }
  const { name, secret } = pairOf(headers.authorization)
  const appId = idOf(name)
  return appId === null ? await signInPerson(ctx, name, secret) : await signInApp(ctx, { id: appId }, secret)
}
