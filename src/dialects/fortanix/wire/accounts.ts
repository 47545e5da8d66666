import type { AccountInput } from '../../../custody/operations/update-account.ts'
import { policyOfAccount, type AccountConcern } from '../../../custody/policies.ts'
import type { AccountRow } from '../../../store/fortanix-accounts.ts'
import { readBody, readOptionalBody, type Members } from '../../shared/members.ts'
import { parseAccountPolicy, renderAccountPolicy } from './policies.ts'
import { renderTime } from './times.ts'

const maxName = 256

/** @throws AppError INVALID_MEMBER */
export function parseNewAccount(body: unknown): AccountInput & { readonly name: string } {
  return readBody(body, (members) => ({ ...readAccount(members), name: members.neededText('name', { max: maxName }) }))
}

/** What is absent stays. @throws AppError INVALID_MEMBER */
export function parseAccount(id: string, body: unknown): AccountInput & { readonly id: string } {
  return readOptionalBody(body, (members) => ({ id, ...readAccount(members) }))
}

function readAccount(members: Members): AccountInput {
  const name = members.text('name', { min: 1, max: maxName })
  const description = members.text('description')
  const requestSeconds = members.integer('approval_request_expiry', { min: 1 })
  const retainsExpired = members.optionalFlag('retain_expired_requests')
  const logsExpired = members.optionalFlag('log_expired_pending_requests')
  const checksSensitive = members.optionalFlag('check_access_for_sensitive_operation_results')
  const policy = parseAccountPolicy(members)
  const alsoTouches = concernsOf(members)
  return {
    ...(name !== null && { name }),
    ...(description !== null && { description }),
    ...(requestSeconds !== null && { requestSeconds }),
    ...(retainsExpired !== null && { retainsExpired }),
    ...(logsExpired !== null && { logsExpired }),
    ...(checksSensitive !== null && { checksSensitive }),
    ...(policy !== undefined && { policy }),
    ...(alsoTouches.length > 0 && { alsoTouches }),
  }
}

/** Members that this server keeps nothing of, by what of the account they would change. */
const touching: Readonly<Partial<Record<AccountConcern, readonly string[]>>> = {
  'authentication-methods': ['auth_config', 'add_ldap', 'mod_ldap', 'del_ldap'],
  'cryptographic-policy': ['cryptographic_policy'],
  logging: ['add_logging_configs', 'mod_logging_configs', 'del_logging_configs'],
}

function concernsOf(members: Members): AccountConcern[] {
  const concerns = Object.entries(touching) as [AccountConcern, readonly string[]][]
  return concerns.filter(([, names]) => names.some((name) => members.has(name))).map(([concern]) => concern)
}

/** `purpose` and `subscription` are of the form that the Go client takes (contract fortanix §7). */
export function renderAccount(account: AccountRow): object {
  const policy = policyOfAccount(account)
  return {
    acct_id: account.org_id,
    name: account.name,
    ...(account.description !== null && { description: account.description }),
    enabled: true,
    created_at: renderTime(account.created_at),
    ...(policy !== null && { approval_policy: renderAccountPolicy(policy) }),
    approval_request_expiry: account.request_seconds,
    retain_expired_requests: account.retains_expired,
    log_expired_pending_requests: account.logs_expired,
    check_access_for_sensitive_operation_results: account.checks_sensitive,
    logging_configs: {},
    mark_key_disable_when_deactivated: false,
    purpose: { $type: 'Standard' },
    original_purpose: { $type: 'Standard' },
    subscription: { on_prem: {} },
  }
}
