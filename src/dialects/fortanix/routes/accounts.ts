import type { FastifyInstance } from 'fastify'
import type { Ctx } from '../../../context.ts'
import { createAccount, listAccounts, readAccount } from '../../../custody/accounts.ts'
import type { IdPath } from '../../shared/ids.ts'
import { parseNewAccount, renderAccount } from '../wire/accounts.ts'
import { parseId } from '../wire/ids.ts'
import { parsePreviousIdSlice } from '../wire/lists.ts'

/** Contract fortanix §4, §7. */
export function accountRoutes(app: FastifyInstance, ctx: Ctx): void {
  app.get('/accounts', async ({ custodian, query }) => {
    const accounts = await listAccounts(ctx, custodian, parsePreviousIdSlice(query))
    return accounts.map(renderAccount)
  })

  app.post('/accounts', async ({ custodian, body }, reply) => {
    const account = await createAccount(ctx, custodian, parseNewAccount(body))
    return reply.code(201).send(renderAccount(account))
  })

  app.get<IdPath>('/accounts/:id', async ({ custodian, params }) =>
    renderAccount(await readAccount(ctx, custodian, parseId('acct_id', params.id))),
  )
}
