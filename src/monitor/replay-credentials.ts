import { ErasedText } from './erased-text.ts'
import { jsonText } from './json-text.ts'
import type { ToldLeaf, ToldText } from './told-leaf.ts'
import { change, type ToldRow, type ToldTable } from './told-table.ts'

/** Who signs in by a secret of theirs: local users by a password, API clients by a secret that an administrator may read. */
export interface ToldCredentials {
  readonly credentials: ToldTable
  /** The one of each principal. */
  readonly credentialOf: Map<string, string>
  readonly privx_users: ToldTable
}

export function newCredentials(): ToldCredentials {
  return { credentials: new Map(), credentialOf: new Map(), privx_users: new Map() }
}

/** What a sealed secret is compared with: that it opens, to the secret which the hash is of. */
export const opensToItsHash = 'the secret of the hash'

export function replayCredentials(told: ToldCredentials, leaf: ToldLeaf): void {
  const { kind, subject, facts, at, actor } = leaf
  switch (kind) {
    case 'user.created':
      if (facts['local'] !== true) return
      told.privx_users.set(subject, { ...shown(leaf), author_id: actor.id, created_at: at })
      return add(told, leaf, { kind: 'password', name: leaf.text('username'), sealed: null })
    case 'user.changed':
      change(told.privx_users, subject, shown(leaf))
      return changeOf(told, subject, { name: leaf.text('username'), changed_at: at })
    case 'api-client.created': {
      return add(told, leaf, { kind: 'client-secret', name: clientName(leaf), sealed: opensToItsHash })
    }
    case 'password.changed':
      // One that belongs to the person, and not to what they are here, is told of by its id (replay-people.ts).
      if (facts['credential'] !== undefined) return
      return changeOf(told, subject, { hash: facts['secretHmac'], changed_at: at })
    case 'api-client.secret-changed':
    case 'app.secret-reset':
      return changeOf(told, subject, { hash: facts['secretHmac'], changed_at: at })
    case 'user.removed':
    case 'api-client.removed':
      told.privx_users.delete(subject)
      told.credentials.delete(told.credentialOf.get(subject) ?? '')
      told.credentialOf.delete(subject)
  }
}

/** One that was not configured, or whose configured name was erased, signs in by its own id. */
function clientName(leaf: ToldLeaf): ToldText {
  const name = leaf.text('clientId')
  return name === null ? leaf.subject : name instanceof ErasedText ? name.or(leaf.subject) : name
}

function shown(leaf: ToldLeaf): ToldRow {
  return {
    username: leaf.text('username'),
    full_name: leaf.text('fullName'),
    attributes: jsonText(leaf, 'attributes'),
    updated_at: leaf.at,
    updated_by: leaf.actor.id,
  }
}

function add({ credentials, credentialOf }: ToldCredentials, { subject, facts, at }: ToldLeaf, columns: ToldRow): void {
  const id = facts['credential'] as string
  credentialOf.set(subject, id)
  // Who has no password yet cannot sign in, and the leaf tells of none.
  const hash = facts['secretHmac'] ?? null
  credentials.set(id, { principal_id: subject, ...columns, hash, created_at: at, changed_at: at })
}

function changeOf({ credentials, credentialOf }: ToldCredentials, principal: string, columns: ToldRow): void {
  change(credentials, credentialOf.get(principal) ?? '', columns)
}
