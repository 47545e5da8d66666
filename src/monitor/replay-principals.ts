import { addPerson, newPeople, type ToldPeople } from './replay-people.ts'
import type { ToldLeaf } from './told-leaf.ts'
import { change, keyOf, type ToldRow, type ToldTable } from './told-table.ts'

/** People's memberships of the organization, its agents and its admins. */
export interface ToldPrincipals extends ToldPeople {
  readonly principals: ToldTable
  readonly organization_admins: ToldTable
  /** Who answered for an agent before. */
  readonly former_owners: ToldTable
}

/** @param people those of other organizations, who may be the same */
export function newPrincipals(people: ToldPeople = newPeople()): ToldPrincipals {
  return { ...people, principals: new Map(), organization_admins: new Map(), former_owners: new Map() }
}

export function replayPrincipals(told: ToldPrincipals, leaf: ToldLeaf): void {
  const { kind, subject, facts, at } = leaf
  switch (kind) {
    case 'user.created':
      return addUser(told, leaf)
    case 'user.changed':
      return change(told.principals, subject, { name: leaf.text('displayName'), email: leaf.text('email') })
    case 'user.removed':
    case 'api-client.removed':
    case 'user.disabled':
      return change(told.principals, subject, { disabled_at: at })
    case 'user.enabled':
      return change(told.principals, subject, { disabled_at: null })
    case 'api-client.created':
      return addAgent(told, leaf)
    case 'api-client.changed':
      return change(told.principals, subject, { name: leaf.text('name') })
    case 'agent.registered':
      return addAgent(told, leaf)
    case 'agent.changed':
      return changeAgent(told, leaf)
    case 'agent.key-rotated':
      return change(told.principals, subject, { public_key: facts['publicKeySha256'] })
    case 'agent.revoked':
      return change(told.principals, subject, {
        // Revoked again by an admin it stays disabled from when it was.
        disabled_at: told.principals.get(subject)?.['disabled_at'] ?? at,
        revoked_by_admin: facts['byAdmin'],
      })
    case 'agent.restored':
      return change(told.principals, subject, { disabled_at: null, revoked_by_admin: false })
    case 'admin.added': {
      const email = told.principals.get(subject)?.['email']
      told.organization_admins.set(subject, { id: facts['admin'], email, created_at: at })
      return
    }
    case 'admin.removed':
      told.organization_admins.delete(subject)
  }
}

const enabled: ToldRow = { disabled_at: null, dpop_required: false, revoked_by_admin: false }

function addUser(told: ToldPrincipals, leaf: ToldLeaf): void {
  const { subject, facts, at } = leaf
  const [person, email] = [facts['person'] as string, leaf.text('email')]
  told.principals.set(subject, {
    ...enabled,
    kind: 'human',
    person_id: person,
    name: leaf.text('displayName'),
    email,
    public_key: null,
    created_at: at,
  })
  // A local user is known by their name here, and not by an address.
  if (facts['local'] === true && !told.people.has(person)) told.people.set(person, { email: null, created_at: at })
  else addPerson(told, person, email, at)
}

function addAgent(told: ToldPrincipals, leaf: ToldLeaf): void {
  const { subject, facts, at } = leaf
  told.principals.set(subject, {
    ...enabled,
    kind: 'agent',
    person_id: facts['person'] ?? null,
    name: leaf.text('name'),
    email: null,
    // A client that signs in by a secret has none.
    public_key: facts['publicKeySha256'] ?? null,
    created_at: at,
  })
}

function changeAgent({ principals, former_owners }: ToldPrincipals, { subject, facts }: ToldLeaf): void {
  const [before, person] = [principals.get(subject)?.['person_id'], facts['person'] ?? null]
  if (typeof before === 'string' && before !== person) former_owners.set(keyOf(before, subject), {})
  change(principals, subject, { dpop_required: facts['dpopRequired'], person_id: person })
}
