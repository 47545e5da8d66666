import { readAppSecretOperation, resetAppSecretOperation } from '../../custody/operations/app-secret.ts'
import { createGroupOperation } from '../../custody/operations/create-group.ts'
import { updateAccountOperation } from '../../custody/operations/update-account.ts'
import { updateAppOperation } from '../../custody/operations/update-app.ts'
import { updateGroupOperation } from '../../custody/operations/update-group.ts'
import { answer, answerMade, wireOperation, type WireCall, type WireOperation } from './wire-operation.ts'
import { parseAccount, renderAccount } from './wire/accounts.ts'
import { parseApp, renderApp, renderAppSecret, wantsPermissions } from './wire/apps.ts'
import { parseGroup, parseNewGroup, renderGroup } from './wire/groups.ts'
import { parseId } from './wire/ids.ts'

const idIn = (name: string, { params }: WireCall): string => parseId(name, params['id'])
const oneApp = '/sys/v1/apps/:id'

/** What can be done to an account, its groups and its apps that a policy may protect (contract fortanix §6). */
export const accountOperations: readonly WireOperation[] = [
  wireOperation(updateAccountOperation, {
    method: 'PATCH',
    path: '/sys/v1/accounts/:id',
    parse: (call) => parseAccount(idIn('acct_id', call), call.body),
    render: (account) => answer(renderAccount(account)),
  }),
  wireOperation(createGroupOperation, {
    method: 'POST',
    path: '/sys/v1/groups',
    parse: ({ body }) => parseNewGroup(body),
    render: (group) => answerMade(renderGroup(group)),
  }),
  wireOperation(updateGroupOperation, {
    method: 'PATCH',
    path: '/sys/v1/groups/:id',
    parse: (call) => parseGroup(idIn('group_id', call), call.body),
    render: (group) => answer(renderGroup(group)),
  }),
  wireOperation(updateAppOperation, {
    method: 'PATCH',
    path: oneApp,
    parse: (call) => parseApp(idIn('app_id', call), call.body),
    render: (app, { query }) => answer(renderApp(app, wantsPermissions(query))),
  }),
  wireOperation(readAppSecretOperation, {
    method: 'GET',
    path: `${oneApp}/credential`,
    parse: (call) => ({ id: idIn('app_id', call) }),
    render: (secret) => answer(renderAppSecret(secret)),
  }),
  wireOperation(resetAppSecretOperation, {
    method: 'POST',
    path: `${oneApp}/reset_secret`,
    parse: (call) => ({ id: idIn('app_id', call) }),
    render: (app, { query }) => answer(renderApp(app, wantsPermissions(query))),
  }),
]
