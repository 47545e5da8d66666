import type { FastifyInstance } from 'fastify'
import type { Ctx } from '../../../context.ts'
import { changeDevices } from '../../../custody/devices.ts'
import { changeUser } from '../../../custody/change-user.ts'
import { answerInvitations, inviteUser } from '../../../custody/members.ts'
import { listAccountsOfCaller, listUsers, readOneself, readUser } from '../../../custody/read-users.ts'
import { makeRecoveryCodes } from '../../../custody/sessions.ts'
import { signUp } from '../../../custody/users.ts'
import { noStore } from '../../shared/no-store.ts'
import type { IdPath } from '../../shared/ids.ts'
import { parseDevices } from '../wire/devices.ts'
import { parseId } from '../wire/ids.ts'
import { parseSlice } from '../wire/lists.ts'
import { nothing } from '../wire/nothing.ts'
import {
  parseInvitation,
  parseInvitationAnswer,
  parseSignUp,
  parseUser,
  renderFlags,
  renderUser,
} from '../wire/users.ts'

/** Contract fortanix §7. */
export function userRoutes(app: FastifyInstance, ctx: Ctx): void {
  app.post('/users', { config: { public: true } }, async ({ body }, reply) =>
    reply.code(201).send(renderUser(await readOneself(ctx, await signUp(ctx, parseSignUp(body))))),
  )

  app.get('/users', async ({ custodian, query }) => {
    const users = await listUsers(ctx, custodian, { ...parseSlice(query), personId: null })
    return users.map(renderUser)
  })

  app.post('/users/invite', async ({ custodian, body }, reply) => {
    const id = await inviteUser(ctx, custodian, parseInvitation(body))
    return reply.code(201).send(renderUser(await readUser(ctx, custodian, id)))
  })

  app.post('/users/process_invite', async ({ custodian, body }, reply) => {
    await answerInvitations(ctx, custodian, parseInvitationAnswer(body))
    return nothing(reply)
  })

  app.get('/users/accounts', async ({ custodian }) => {
    const members = await listAccountsOfCaller(ctx, custodian)
    return Object.fromEntries(members.map((member) => [member.org_id, renderFlags(member)])) as object
  })

  app.post('/users/generate_recovery_codes', { onSend: noStore }, async ({ custodian }) => ({
    recovery_codes: await makeRecoveryCodes(ctx, custodian),
  }))

  app.get<IdPath>('/users/:id', async ({ custodian, params }) =>
    renderUser(await readUser(ctx, custodian, parseId('user_id', params.id))),
  )

  app.patch<IdPath>('/users/:id', async ({ custodian, params, body }) => {
    const id = parseId('user_id', params.id)
    const [user, devices] = [parseUser(body), parseDevices(body)]
    await changeDevices(ctx, custodian, id, devices)
    await changeUser(ctx, custodian, id, user)
    return renderUser(await readUser(ctx, custodian, id))
  })
}
