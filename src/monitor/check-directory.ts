import { createHash } from 'node:crypto'
import { canonicalJson } from '../audit/leaf.ts'
import type { Tx } from '../store/open.ts'
import { compareTable, type MakeComparable } from './compare-rows.ts'
import { checkRoles } from './check-roles.ts'
import { ErasedText } from './erased-text.ts'
import { finderFor, type Finder, type Report } from './finding.ts'
import { comparablePolicy, withNamesAs } from './comparable-policy.ts'
import type { KeptSecrets } from './kept-secrets.ts'
import { literal, readRows } from './read-rows.ts'
import { opensToItsHash } from './replay-credentials.ts'
import type { ToldPeople } from './replay-people.ts'
import type { Told } from './replay.ts'
import { keyOf, type ToldRow, type ToldTable } from './told-table.ts'
import { watchedTables, type TableName } from './watched-tables.ts'

/** Compares the organization's row and everything of it but requests and votes with what its leaves tell. */
export async function checkDirectory(
  tx: Tx,
  orgId: string,
  told: Told,
  { secrets, report }: { readonly secrets: KeptSecrets | null; readonly report: Report },
): Promise<void> {
  const find = finderFor(orgId, report)
  const compared: Readonly<Partial<Record<TableName, MakeComparable>>> = {
    principals: (row) => ({ ...row, public_key: digestOf(row['public_key']) }),
    policies: (row, policy) => comparablePolicy(row, policy, { ...told, secrets }),
    credentials: (row, credential) => comparableCredential(row, credential, secrets),
    privx_workflows: (row, workflow) => ({ ...row, steps: withNamesAs(workflow?.['namesAre'], row['steps']) }),
    privx_settings: (row, settings) => comparableSettings(row, settings, secrets),
    fortanix_keys: (row, key) => comparableKey(row, key, secrets),
  }
  await compareStored(tx, find, 'organizations', told.organizations, `where id = ${literal(orgId)}`)
  for (const table of ofOrganization) {
    await compareStored(tx, find, table, told[table], `where org_id = ${literal(orgId)}`, compared[table])
  }
  await checkRoles(tx, orgId, told, find)
}

/** Those that are compared as a whole, row by row under their keys. Requests and votes are gone through one by one. */
const ofOrganization = [
  'principals',
  'credentials',
  'privx_users',
  'former_owners',
  'organization_admins',
  'groups',
  'memberships',
  'grants',
  'request_grants',
  'spaces',
  'policies',
  'privx_workflows',
  'privx_settings',
  'quotas',
  'api_keys',
  'fortanix_accounts',
  'fortanix_members',
  'fortanix_groups',
  'fortanix_apps',
  'fortanix_app_groups',
  'fortanix_keys',
] as const satisfies readonly TableName[]

/** People belong to no organization: whoever is in several is one of them. So does what they prove themselves with. */
export async function checkPeople(
  tx: Tx,
  told: ToldPeople,
  { secrets, report }: { readonly secrets: KeptSecrets | null; readonly report: Report },
): Promise<void> {
  const find = finderFor(null, report)
  const compared: Readonly<Partial<Record<TableName, MakeComparable>>> = {
    person_credentials: (row, factor) => comparableFactor(row, factor, secrets),
  }
  for (const table of ofPeople) await compareStored(tx, find, table, told[table], '', compared[table])
}

const ofPeople = [
  'people',
  'person_credentials',
  'fortanix_users',
  'fortanix_recovery_codes',
] as const satisfies readonly TableName[]

async function compareStored(
  tx: Tx,
  find: Finder,
  table: TableName,
  told: ToldTable,
  where: string,
  makeComparable?: MakeComparable,
): Promise<void> {
  const { key, columns } = watchedTables[table]
  const names = [...new Set([...key, ...columns])].map((name) => `"${name}"`).join(', ')
  const rows = keyed(readRows<ToldRow>(tx, `select ${names} from ${table} ${where}`), key)
  await compareTable(find, { table, told, columns, rows, ...(makeComparable && { makeComparable }) })
}

async function* keyed(
  rows: AsyncIterable<ToldRow>,
  key: readonly string[],
): AsyncGenerator<{ key: string; row: ToldRow }> {
  for await (const row of rows) yield { key: keyOf(...key.map((column) => String(row[column]))), row }
}

/** What opens where nothing is known of the keys is what the leaf tells. */
function comparableCredential(row: ToldRow, told: ToldRow | undefined, secrets: KeptSecrets | null): ToldRow {
  const { hash, sealed } = row
  // Nobody signs in by a name that was erased: its password went with it.
  const isGone = hash === null && told?.['kind'] === 'password' && told['name'] instanceof ErasedText
  const isOfHash = () => secrets?.hashOfSealed(sealed as Uint8Array) === hash
  return {
    ...row,
    hash: isGone || secrets === null ? told?.['hash'] : typeof hash === 'string' ? secrets.digestOf(hash) : null,
    sealed: sealed === null ? null : secrets === null ? told?.['sealed'] : isOfHash() ? opensToItsHash : sealed,
  }
}

/** Of a security key digests. */
function comparableFactor(row: ToldRow, told: ToldRow | undefined, secrets: KeptSecrets | null): ToldRow {
  const { kind, hash, credential_id, public_key, details } = row
  return {
    ...row,
    hash: typeof hash !== 'string' ? hash : secrets === null ? told?.['hash'] : secrets.digestOf(hash),
    credential_id: digestOf(credential_id),
    public_key: digestOf(public_key),
    details: kind === 'password' ? details : digestOf(canonicalJson(details)),
  }
}

/** What a key is made of is told from its digest. */
function comparableKey(row: ToldRow, told: ToldRow | undefined, secrets: KeptSecrets | null): ToldRow {
  const { material, public_key } = row
  const opened = (sealed: Uint8Array) => secrets?.digestOfSealedBytes(sealed) ?? 'nothing that opens'
  return {
    ...row,
    public_key: digestOf(public_key),
    material:
      material === null ? null : secrets === null ? (told?.['material'] ?? sealedText) : opened(material as Uint8Array),
  }
}

/** Stands for something sealed that cannot be opened and should not be there. */
const sealedText = 'something sealed'

function comparableSettings(row: ToldRow, told: ToldRow | undefined, secrets: KeptSecrets | null): ToldRow {
  // Numbers and switches stay, and the password went with the name that it belongs to.
  if (told?.['isErased'] === true && row['sealed_password'] === null && hasNoText(row['settings'])) {
    return { ...row, settings: told['settings'], sealed_password: told['sealed_password'] }
  }
  const sealed = row['sealed_password']
  if (sealed === null) return row
  const found = secrets === null ? told?.['sealed_password'] : secrets.digestOfSealed(sealed as Uint8Array)
  return { ...row, sealed_password: found ?? 'nothing that opens' }
}

function hasNoText(settings: unknown): boolean {
  const values = Object.values((settings ?? {}) as Record<string, unknown>)
  return values.every((value) => value === '' || typeof value === 'number' || typeof value === 'boolean')
}

function digestOf(kept: unknown): string | null {
  const isKept = typeof kept === 'string' || kept instanceof Uint8Array
  return isKept ? createHash('sha256').update(kept).digest('hex') : null
}
