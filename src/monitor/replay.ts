import { newAccounts, replayAccounts, type ToldAccounts } from './replay-accounts.ts'
import { newCredentials, replayCredentials, type ToldCredentials } from './replay-credentials.ts'
import { newGrants, replayGrants, type ToldGrants } from './replay-grants.ts'
import { newGroups, replayGroups, type ToldGroups } from './replay-groups.ts'
import { replayKeys, type ToldKeys } from './replay-keys.ts'
import { newPeople, replayPeople, type ToldPeople } from './replay-people.ts'
import { newPolicies, replayPolicies, templatesIn, type ToldPolicies } from './replay-policies.ts'
import { newPrincipals, replayPrincipals, type ToldPrincipals } from './replay-principals.ts'
import { newRoles, replayRoles, type ToldRoles } from './replay-roles.ts'
import { replayApiKeys } from './replay-api-keys.ts'
import { replayQuotas } from './replay-quotas.ts'
import { replaySettings } from './replay-settings.ts'
import { replaySpaces } from './replay-spaces.ts'
import { newWorkflows, replayWorkflows, type ToldWorkflows } from './replay-workflows.ts'
import type { ToldLeaf } from './told-leaf.ts'
import { change, type ToldTable } from './told-table.ts'

/**
 * Everything of an organization that its leaves tell of, but for requests and votes, which are gone through one by one
 * (`replay-requests.ts`): there may be millions of them.
 */
export interface Told
  extends
    ToldPrincipals,
    ToldCredentials,
    ToldGroups,
    ToldGrants,
    ToldRoles,
    ToldPolicies,
    ToldWorkflows,
    ToldAccounts,
    ToldKeys {
  readonly organizations: ToldTable
  readonly spaces: ToldTable
  readonly quotas: ToldTable
  readonly api_keys: ToldTable
  readonly privx_settings: ToldTable
}

/** @param people what belongs to no organization, of which several logs may tell */
export function nothingTold(people: ToldPeople = newPeople()): Told {
  return {
    ...newPrincipals(people),
    ...newCredentials(),
    ...newGroups(),
    ...newGrants(),
    ...newRoles(),
    ...newPolicies(),
    ...newWorkflows(),
    ...newAccounts(),
    fortanix_keys: new Map(),
    organizations: new Map(),
    spaces: new Map(),
    quotas: new Map(),
    api_keys: new Map(),
    privx_settings: new Map(),
  }
}

/** Takes in the next leaf of the log. */
export function replay(told: Told, leaf: ToldLeaf): void {
  if (leaf.kind === 'organization.created') {
    // The first leaves of old told the name in the clear.
    const name = leaf.facts['name'] ?? leaf.text('name')
    told.organizations.set(leaf.subject, { name, created_at: leaf.at })
  }
  if (leaf.kind === 'account.changed' && leaf.text('name') !== null) {
    change(told.organizations, leaf.subject, { name: leaf.text('name') })
  }
  replayPeople(told, leaf)
  replayPrincipals(told, leaf)
  replayCredentials(told, leaf)
  replayGroups(told, leaf)
  replayGrants(told, leaf)
  // Before the policies: roles on templates go with the templates, which must still be known.
  replayRoles(told, leaf, {
    firstOf: (version) => told.templates.get(version) ?? version,
    in: (space) => templatesIn(told, space),
  })
  replayPolicies(told, leaf)
  replayWorkflows(told, leaf)
  replaySpaces(told.spaces, leaf)
  replayQuotas(told.quotas, leaf)
  replayApiKeys(told.api_keys, leaf)
  replaySettings(told.privx_settings, leaf)
  replayAccounts(told, leaf)
  replayKeys(told, leaf)
}
