import type { Creator } from '../../../custody/creator.ts'
import { curves, type KeyShape } from '../../../custody/crypto/key-material.ts'
import type { NewKey } from '../../../custody/keys/create-key.ts'
import { keyOperations, type KeyOperation } from '../../../custody/keys/key-operations.ts'
import type { ExportedKey } from '../../../custody/operations/crypto.ts'
import type { ToRevoke } from '../../../custody/operations/end-key.ts'
import type { KeyInput } from '../../../custody/operations/update-key.ts'
import type { KeyName, KeyRow, KeySlice } from '../../../store/fortanix-keys.ts'
import { invalidMember } from '../../../errors.ts'
import { readBody, readOptionalBody, type Members } from '../../shared/members.ts'
import { renderBytes } from './bytes.ts'
import { renderCreator } from './creator.ts'
import { bytesIn, keyNameOf } from './crypto.ts'
import { parseNamedSlice } from './lists.ts'
import { renderTime } from './times.ts'

const maxName = 256
const kinds = ['AES', 'HMAC', 'RSA', 'EC'] as const

function newKeyIn(members: Members): NewKey {
  if (members.flag('transient')) members.complain('transient', 'is not offered: keys stay')
  return {
    name: members.neededText('name', { max: maxName }),
    description: members.text('description'),
    groupId: members.uuid('group_id'),
    operations: operationsIn(members),
    isEnabled: members.optionalFlag('enabled') ?? true,
  }
}

/** Null when they are absent. */
function operationsIn(members: Members): readonly KeyOperation[] | null {
  if (!members.has('key_ops')) return null
  const wanted = members.choices('key_ops', keyOperations)
  return keyOperations.filter((operation) => wanted.includes(operation))
}

function kindIn(members: Members): KeyShape['kind'] {
  const kind = members.choice('obj_type', kinds)
  if (!members.has('obj_type')) members.complain('obj_type', 'is needed')
  return kind ?? 'AES'
}

/** A key that is to be made. @throws AppError INVALID_MEMBER */
export function parseNewKey(body: unknown): { readonly key: NewKey; readonly shape: KeyShape } {
  return readBody(body, (members) => {
    if (members.has('value')) members.complain('value', 'is for PUT')
    const exponent = members.integer('pub_exponent')
    if (exponent !== null && exponent !== 65_537) members.complain('pub_exponent', 'must be 65537')
    const [kind, sizeBits] = [kindIn(members), members.integer('key_size')]
    const curve = members.choice('elliptic_curve', curves)
    return { key: newKeyIn(members), shape: { kind, sizeBits, curve } }
  })
}

/** A key that was made elsewhere. Its value says its size. @throws AppError INVALID_MEMBER */
export function parseTakenKey(body: unknown): {
  readonly key: NewKey
  readonly kind: KeyShape['kind']
  readonly value: Buffer
} {
  return readBody(body, (members) => {
    if (!members.has('value')) members.complain('value', 'is needed')
    return { kind: kindIn(members), value: bytesIn(members, 'value') ?? Buffer.alloc(0), key: newKeyIn(members) }
  })
}

/** What is absent stays. @throws AppError INVALID_MEMBER */
export function parseKey(id: string, body: unknown): KeyInput {
  return readOptionalBody(body, (members) => {
    const name = members.text('name', { min: 1, max: maxName })
    const description = members.text('description')
    const operations = operationsIn(members)
    const isEnabled = members.optionalFlag('enabled')
    const groupId = members.uuid('group_id')
    return {
      id,
      ...(name !== null && { name }),
      ...(description !== null && { description }),
      ...(operations !== null && { operations }),
      ...(isEnabled !== null && { isEnabled }),
      ...(groupId !== null && { groupId }),
    }
  })
}

/** `{kid}` or `{name}`. @throws AppError INVALID_MEMBER */
export function parseKeyName(body: unknown): KeyName {
  return readBody(body, keyNameOf)
}

const compromises = ['KeyCompromise', 'CACompromise']
const reasons = [
  'Unspecified',
  ...compromises,
  'AffiliationChanged',
  'Superseded',
  'CessationOfOperation',
  'PrivilegeWithdrawn',
]

/** @throws AppError INVALID_MEMBER */
export function parseRevocation(id: string, body: unknown): ToRevoke {
  return readOptionalBody(body, (members) => ({
    id,
    isCompromised: compromises.includes(members.choice('code', reasons) ?? ''),
  }))
}

/** @throws AppError INVALID_MEMBER */
export function parseKeySlice(query: unknown): KeySlice {
  const { name, obj_type: kind, show_destroyed: showDestroyed } = query as Readonly<Record<string, unknown>>
  return {
    ...parseNamedSlice(query),
    name: textOf('name', name),
    kind: kinds.find((known) => known === kind) ?? refuseUnless(kind === undefined, 'obj_type'),
    // One client knows no state for them, and could not read a list that one is in.
    withDestroyed: showDestroyed === 'true',
  }
}

function textOf(name: string, value: unknown): string | null {
  return typeof value === 'string' ? value : refuseUnless(value === undefined, name)
}

function refuseUnless(isFine: boolean, field: string): null {
  if (!isFine) throw invalidMember(field, 'has a value that is not accepted')
  return null
}

/** What clients read for a key that was never used. */
const never = new Date(0)

/** A security object, with the members that one client cannot do without (contract fortanix §7, §10.4). */
export function renderKey(key: KeyRow): object {
  return {
    acct_id: key.org_id,
    kid: key.id,
    group_id: key.group_id,
    name: key.name,
    ...(key.description !== null && { description: key.description }),
    obj_type: key.kind,
    ...(key.size_bits !== null && { key_size: key.size_bits }),
    ...(key.curve !== null && { elliptic_curve: key.curve }),
    key_ops: key.operations,
    enabled: key.is_enabled,
    state: key.state,
    origin: key.origin,
    public_only: key.material === null && key.public_key !== null,
    ...(key.public_key !== null && { pub_key: renderBytes(key.public_key) }),
    created_at: renderTime(key.created_at),
    lastused_at: renderTime(key.last_used_at ?? never),
    creator: renderCreator(key.creator as Creator),
  }
}

export function renderExported({ row, value }: ExportedKey): object {
  return { ...renderKey(row), value: renderBytes(value) }
}
