import { ErasedText } from './erased-text.ts'
import type { ToldLeaf, ToldText } from './told-leaf.ts'
import { change, keyOf, type ToldTable } from './told-table.ts'

/** What belongs to people and to no organization: one log tells of it, but for who they are, which others may tell as well. */
export interface ToldPeople {
  readonly people: ToldTable
  readonly person_credentials: ToldTable
  readonly fortanix_users: ToldTable
  readonly fortanix_recovery_codes: ToldTable
}

export function newPeople(): ToldPeople {
  return {
    people: new Map(),
    person_credentials: new Map(),
    fortanix_users: new Map(),
    fortanix_recovery_codes: new Map(),
  }
}

export function replayPeople(told: ToldPeople, leaf: ToldLeaf): void {
  const { kind, subject, facts, at, actor } = leaf
  switch (kind) {
    case 'person.registered':
      return register(told, leaf)
    case 'person.changed':
      return change(told.fortanix_users, subject, namesIn(leaf))
    case 'person.recovery-codes-made':
      forget(told.fortanix_recovery_codes, subject)
      for (const code of facts['codesSha256'] as readonly string[]) {
        told.fortanix_recovery_codes.set(keyOf(subject, code), { created_at: at })
      }
      return
    case 'person.proved-factor':
      told.fortanix_recovery_codes.delete(keyOf(subject, String(facts['codeSha256'])))
      return
    case 'person.shut-out':
      forget(told.fortanix_recovery_codes, subject)
      forget(told.person_credentials, subject)
      return
  }
  // The same is told to organizations by what the person is in them.
  if (actor.kind === 'person') replayFactors(told.person_credentials, leaf)
}

/** @param at when it was told, which is when the person was made if nothing told of them before */
export function addPerson({ people }: ToldPeople, person: string, email: ToldText, at: Date): void {
  const known = people.get(person)
  if (known === undefined) {
    people.set(person, { email: email ?? undefined, created_at: at })
    return
  }
  known['email'] = ofEither(known['email'], email)
  // Logs are gone through one after the other, and not in the order of time.
  if (at < (known['created_at'] as Date)) known['created_at'] = at
}

/** What is told of an address that is the same in two organizations, of which each may have erased it. */
function ofEither(known: unknown, email: ToldText): unknown {
  if (known instanceof ErasedText && email !== undefined && email !== null) return known.or(email)
  return email instanceof ErasedText && typeof known === 'string' ? email.or(known) : known
}

/** Whoever gives a password is verified. What somebody knew before and does not say again stays. */
function register(told: ToldPeople, leaf: ToldLeaf): void {
  const { subject, facts, at } = leaf
  addPerson(told, subject, leaf.text('email'), at)
  const verified = facts['hasPassword'] === true ? { verified_at: at } : {}
  if (!told.fortanix_users.has(subject)) {
    told.fortanix_users.set(subject, { verified_at: null, ...namesIn(leaf), ...verified, created_at: at })
    return
  }
  const said = Object.entries(namesIn(leaf)).filter(([, name]) => name !== null)
  change(told.fortanix_users, subject, { ...Object.fromEntries(said), ...verified })
}

function namesIn(leaf: ToldLeaf): { readonly first_name: ToldText; readonly last_name: ToldText } {
  return { first_name: leaf.text('firstName'), last_name: leaf.text('lastName') }
}

/** Passwords and security keys. */
function replayFactors(credentials: ToldTable, leaf: ToldLeaf): void {
  const { kind, subject, facts, at } = leaf
  const key = keyOf(subject, String(facts['key'] ?? facts['credential']))
  switch (kind) {
    case 'password.changed':
      if (!credentials.has(key)) credentials.set(key, { ...password, created_at: at })
      return change(credentials, key, { hash: facts['secretHmac'], changed_at: at })
    case 'security-key.added':
      credentials.set(key, {
        kind: 'security-key',
        name: leaf.text('name'),
        hash: null,
        credential_id: facts['credentialSha256'],
        public_key: facts['publicKeySha256'],
        counter: String(facts['counter']),
        details: facts['detailsSha256'],
        created_at: at,
        changed_at: at,
      })
      return
    case 'security-key.renamed':
      return change(credentials, key, { name: leaf.text('name'), changed_at: at })
    case 'security-key.used':
      return change(credentials, key, { counter: String(facts['counter']) })
    case 'security-key.removed':
      credentials.delete(key)
  }
}

const password = {
  kind: 'password',
  name: 'password',
  credential_id: null,
  public_key: null,
  counter: '0',
  details: {},
}

function forget(table: ToldTable, person: string): void {
  for (const key of table.keys()) if (key.startsWith(`${person}/`)) table.delete(key)
}
