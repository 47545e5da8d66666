import { expect } from 'vitest'
import { Authenticator } from '../helpers/authenticator.ts'
import { assertionOf, attestationOf, basic } from '../helpers/fortanix.ts'
import type { Answer, Client } from '../helpers/world.ts'
import { keySteps } from './key-steps.ts'
import { operationSteps } from './operation-steps.ts'
import { any, countedFacts, id, ids, newKeyFacts, text, world, type Step } from './steps.ts'

const sys = '/sys/v1'
const password = 'zebra password'
const emailOf = (who: string): string => `${who}.zebra@example.com`

/** A session of each, begun by a step. */
const tokens: Record<string, string> = {}
const as = (who: string): Client => world.withToken(id(who), tokens[who] ?? '')
const key = new Authenticator()
let codes: readonly string[] = []

const byPerson = (who: string) => () => ({ kind: 'person', id: id(who) })
const byMember = (who: string) => () => ({ kind: 'human', id: id(`${who} voting`) })
const byOlga = byMember('olga')

const signIn = async (who: string): Promise<Answer> => {
  const answer = await world.anyone.post(`${sys}/session/auth`, undefined, {
    authorization: basic(emailOf(who), password),
  })
  if (answer.status === 200) tokens[who] = answer.body.access_token
  return answer
}

/** Keeps a member of the answer under a name. */
const kept = async (name: string, member: string, call: Promise<Answer>): Promise<Answer> => {
  const answer = await call
  if (answer.status === 201) ids[name] = answer.body[member]
  return answer
}

const signUp = (who: string): Step => ({
  name: `POST /sys/v1/users: ${who}`,
  does: () =>
    kept(
      who,
      'user_id',
      world.anyone.post(`${sys}/users`, {
        user_email: emailOf(who),
        user_password: password,
        first_name: text(who),
        last_name: text('z'),
      }),
    ),
  leaves: () => [
    ['password.changed', { credential: any, secretHmac: any }],
    ['person.registered', { hasPassword: true }],
  ],
  changes: ['fortanix_users', 'people', 'person_credentials'],
  by: byPerson(who),
})

const begin = (who: string): Step => ({
  name: `POST /sys/v1/session/auth: ${who}`,
  does: () => signIn(who),
  leaves: () => [['person.signed-in', { session: any, owesFactor: false }]],
  by: byPerson(who),
})

const select = (who: string): Step => ({
  name: `POST /sys/v1/session/select_account: ${who}`,
  does: () => as(who).post(`${sys}/session/select_account`, { acct_id: id('vault') }),
  leaves: () => [['account.selected', { person: id(who), session: any }]],
  by: byMember(who),
})

/** Keeps whom somebody votes as in the account. */
async function votingAs(who: string): Promise<void> {
  const row = await world.ctx.db
    .selectFrom('fortanix_members')
    .select('principal_id')
    .where('person_id', '=', id(who))
    .executeTakeFirst()
  ids[`${who} voting`] = row?.principal_id ?? ''
}

const invite = (who: string, role: string): Step => ({
  name: `POST /sys/v1/users/invite: ${who}`,
  does: () =>
    as('olga').post(`${sys}/users/invite`, { user_email: emailOf(who), account_role: [role, 'STATEENABLED'] }),
  leaves: () => [['member.invited', { role: 'member', isEnabled: true }]],
  changes: ['fortanix_members'],
  by: byOlga,
})

/** Owes a factor, and delivers it by `prove`. */
const proved = (
  route: string,
  factor: string,
  prove: (options: { challenge: string; rpId: string }) => object,
): Step => ({
  name: `POST /sys/v1/session/auth/2fa/${route}`,
  does: async () => {
    const begun = await signIn('olga')
    if (begun.status !== 200) return begun
    return await as('olga').post(`${sys}/session/auth/2fa/${route}`, prove(begun.body.fido2_assertion_options))
  },
  leaves: () => [
    ['person.signed-in', { session: any, owesFactor: true }],
    ...(factor === 'security-key' ? [['security-key.used', countedFacts] as const] : []),
    ['person.proved-factor', { session: any, factor, ...(factor === 'recovery-code' && { codeSha256: any }) }],
  ],
  ...(factor === 'security-key' ? { changes: ['person_credentials'] } : { changes: ['fortanix_recovery_codes'] }),
  by: byPerson('olga'),
})

const group = (name: string): string => `${sys}/groups/${id(name)}`
const app = (): string => `${sys}/apps/${id('app')}`

/** Accounts, their users, groups and apps, and the sessions in which they are changed. */
export const custodySteps = (): readonly Step[] => [
  signUp('olga'),
  signUp('paul'),
  signUp('quin'),
  begin('olga'),
  begin('paul'),
  begin('quin'),
  {
    name: 'POST /sys/v1/accounts',
    does: async () => {
      const answer = await kept('vault', 'acct_id', as('olga').post(`${sys}/accounts`, { name: text('vault') }))
      await votingAs('olga')
      return answer
    },
    leaves: () => [
      ['organization.created', {}],
      ['account.created', { creator: id('olga') }],
      ['user.created', { person: id('olga'), admin: false }],
      ['member.joined', { role: 'administrator', isEnabled: true, principal: id('olga voting') }],
    ],
    changes: ['fortanix_accounts', 'fortanix_members', 'organizations', 'principals'],
    by: byPerson('olga'),
  },
  select('olga'),
  {
    name: 'PATCH /sys/v1/accounts/:id',
    does: () =>
      as('olga').patch(`${sys}/accounts/${id('vault')}`, {
        name: text('vault 2'),
        description: text('d'),
        approval_request_expiry: 60,
        retain_expired_requests: true,
        log_expired_pending_requests: true,
        check_access_for_sensitive_operation_results: false,
      }),
    leaves: () => [
      ['account.changed', { requestSeconds: 60, retainsExpired: true, logsExpired: true, checksSensitive: false }],
    ],
    changes: ['fortanix_accounts', 'organizations'],
    by: byOlga,
  },
  {
    name: 'PATCH /sys/v1/accounts/:id: with a policy',
    does: () =>
      as('olga').patch(`${sys}/accounts/${id('vault')}`, {
        approval_policy: { policy: { user: id('olga') }, protect_logging_config: true },
      }),
    leaves: () => [
      ['account.changed', {}],
      ['quorum.set', { of: 'account', policy: { kind: 'person', id: id('olga') }, protects: ['logging'] }],
    ],
    changes: ['fortanix_accounts'],
    by: byOlga,
  },
  invite('paul', 'ACCOUNTMEMBER'),
  invite('quin', 'ACCOUNTMEMBER'),
  {
    name: 'POST /sys/v1/users/process_invite',
    does: async () => {
      const answer = await as('paul').post(`${sys}/users/process_invite`, { accepts: [id('vault')] })
      await votingAs('paul')
      return answer
    },
    leaves: () => [
      ['user.created', { person: id('paul'), admin: false }],
      ['member.joined', { role: 'member', isEnabled: true, principal: id('paul voting') }],
    ],
    changes: ['fortanix_members', 'principals'],
    by: byPerson('paul'),
  },
  {
    name: 'POST /sys/v1/users/process_invite: turned down',
    does: () => as('quin').post(`${sys}/users/process_invite`, { rejects: [id('vault')] }),
    leaves: () => [['member.declined', { role: 'member', isEnabled: true }]],
    changes: ['fortanix_members'],
    by: byPerson('quin'),
  },
  {
    name: 'PATCH /sys/v1/users/:id: what they are in the account',
    does: () => as('olga').patch(`${sys}/users/${id('paul')}`, { account_role: ['ACCOUNTAUDITOR'], enable: false }),
    leaves: () => [['member.changed', { role: 'auditor', isEnabled: false, principal: id('paul voting') }]],
    changes: ['fortanix_members'],
    by: byOlga,
  },
  {
    name: 'PATCH /sys/v1/users/:id: their name',
    does: () => as('olga').patch(`${sys}/users/${id('olga')}`, { first_name: text('o'), last_name: text('p') }),
    leaves: () => [['person.changed', {}]],
    changes: ['fortanix_users'],
    by: byPerson('olga'),
  },
  {
    name: 'POST /sys/v1/groups',
    does: () =>
      kept('keys', 'group_id', as('olga').post(`${sys}/groups`, { name: text('keys'), description: text('d') })),
    leaves: () => [['group.created', { dialect: 'fortanix', member: id('olga voting') }]],
    changes: ['fortanix_groups', 'groups', 'memberships'],
    by: byOlga,
  },
  {
    name: 'PATCH /sys/v1/groups/:id',
    does: () => as('olga').patch(group('keys'), { name: text('other keys') }),
    leaves: () => [['group.changed', { permissions: [] }]],
    changes: ['groups'],
    by: byOlga,
  },
  ...keySteps({ client: () => as('olga'), actor: byOlga }),
  ...(['add_groups', 'del_groups'] as const).map((member): Step => ({
    name: `PATCH /sys/v1/users/:id: ${member}`,
    does: () => as('olga').patch(`${sys}/users/${id('paul')}`, { [member]: { [id('keys')]: ['GROUPADMINISTRATOR'] } }),
    leaves: () => [
      [
        member === 'add_groups' ? 'memberships.added' : 'memberships.removed',
        { members: [{ kind: 'human', id: id('paul voting') }] },
      ],
    ],
    changes: ['groups', 'memberships'],
    by: byOlga,
  })),
  {
    name: 'POST /sys/v1/apps',
    does: () =>
      kept(
        'app',
        'app_id',
        as('olga').post(`${sys}/apps`, {
          name: text('app'),
          description: text('d'),
          app_type: text('type'),
          add_groups: { [id('keys')]: ['SIGN'] },
        }),
      ),
    leaves: () => [
      ['api-client.created', { credential: any, secretHmac: any }],
      [
        'app.created',
        {
          role: 'crypto',
          isEnabled: true,
          groups: [{ group: id('keys'), permissions: ['SIGN'] }],
          defaultGroup: id('keys'),
        },
      ],
    ],
    changes: ['credentials', 'fortanix_app_groups', 'fortanix_apps', 'principals'],
    by: byOlga,
  },
  {
    name: 'PATCH /sys/v1/apps/:id',
    does: () =>
      as('olga').patch(app(), { name: text('app 2'), enabled: false, mod_groups: { [id('keys')]: ['ENCRYPT'] } }),
    leaves: () => [
      ['api-client.changed', {}],
      [
        'app.changed',
        {
          role: 'crypto',
          isEnabled: false,
          groups: [{ group: id('keys'), permissions: ['ENCRYPT'] }],
          defaultGroup: id('keys'),
        },
      ],
    ],
    changes: ['fortanix_app_groups', 'fortanix_apps', 'principals'],
    by: byOlga,
  },
  {
    name: 'GET /sys/v1/apps/:id/credential',
    does: () => as('olga').get(`${app()}/credential`),
    leaves: () => [['app.secret-read', {}]],
    by: byOlga,
  },
  {
    name: 'POST /sys/v1/apps/:id/reset_secret',
    does: () => as('olga').post(`${app()}/reset_secret`),
    leaves: () => [['app.secret-reset', { secretHmac: any }]],
    changes: ['credentials'],
    by: byOlga,
  },
  {
    name: 'DELETE /sys/v1/apps/:id',
    does: () => as('olga').delete(app()),
    leaves: () => [['api-client.removed', {}]],
    changes: ['credentials', 'fortanix_app_groups', 'fortanix_apps', 'principals'],
    by: byOlga,
  },
  {
    name: 'DELETE /sys/v1/groups/:id',
    does: () => as('olga').delete(group('keys')),
    leaves: () => [
      ['memberships.removed', { members: [{ kind: 'human', id: id('olga voting') }] }],
      ['group.deleted', {}],
    ],
    changes: ['groups', 'memberships'],
    by: byOlga,
  },
  {
    name: 'POST /sys/v1/groups: with a policy',
    does: () =>
      kept(
        'guarded',
        'group_id',
        as('olga').post(`${sys}/groups`, {
          name: text('guarded'),
          approval_policy: { quorum: { n: 1, members: [{ user: id('olga') }] } },
        }),
      ),
    leaves: () => [
      ['group.created', { dialect: 'fortanix', member: id('olga voting') }],
      [
        'quorum.set',
        {
          of: 'group',
          policy: {
            kind: 'quorum',
            n: 1,
            members: [{ kind: 'person', id: id('olga') }],
            requiresPassword: false,
            requiresSecurityKey: false,
          },
          protects: null,
          protectsManage: true,
          protectsCrypto: true,
        },
      ],
    ],
    changes: ['fortanix_groups', 'groups', 'memberships'],
    by: byOlga,
  },
  ...operationSteps({ client: () => as('olga'), actor: byOlga }),
  {
    name: 'POST /sys/v1/users/generate_recovery_codes',
    does: async () => {
      const answer = await as('olga').post(`${sys}/users/generate_recovery_codes`)
      codes = answer.body?.recovery_codes ?? codes
      return answer
    },
    leaves: () => [['person.recovery-codes-made', { codesSha256: expect.any(Array) }]],
    changes: ['fortanix_recovery_codes'],
    by: byPerson('olga'),
  },
  {
    name: 'POST /sys/v1/session/config_2fa/auth',
    does: () => as('olga').post(`${sys}/session/config_2fa/auth`, { password }),
  },
  {
    name: 'POST /sys/v1/session/config_2fa/new_challenge',
    does: () => as('olga').post(`${sys}/session/config_2fa/new_challenge?protocol=fido2`),
  },
  {
    name: 'PATCH /sys/v1/users/:id: with a security key',
    does: async () => {
      const { body } = await as('olga').post(`${sys}/session/config_2fa/new_challenge?protocol=fido2`)
      const attestationResult = attestationOf(world, key, body.challenge, body.rp.id)
      return await as('olga').patch(`${sys}/users/${id('olga')}`, {
        add_mfa_devices: [{ name: text('usb'), attestationResult }],
      })
    },
    leaves: () => [
      ['security-key.added', newKeyFacts('none')],
      ['security-key.added', newKeyFacts('none')],
    ],
    changes: ['person_credentials'],
    by: () => [byPerson('olga')(), byOlga()],
  },
  {
    name: 'POST /sys/v1/session/config_2fa/terminate',
    does: () => as('olga').post(`${sys}/session/config_2fa/terminate`),
  },
  {
    name: 'POST /sys/v1/session/auth/2fa/u2f',
    does: async () => void (await as('olga').post(`${sys}/session/auth/2fa/u2f`, {})),
  },
  proved('recovery_code', 'recovery-code', () => ({ recovery_code: codes[0] })),
  proved('fido2', 'security-key', (options) => assertionOf(world, key, options)),
  { name: 'POST /sys/v1/session/refresh', does: () => as('olga').post(`${sys}/session/refresh`) },
  { name: 'POST /sys/v1/session/reauth', does: async () => void (await as('olga').post(`${sys}/session/reauth`)) },
  {
    name: 'POST /sys/v1/session/terminate',
    does: () => as('olga').post(`${sys}/session/terminate`),
    leaves: () => [['person.signed-out', { session: any }]],
    by: byPerson('olga'),
  },
]
