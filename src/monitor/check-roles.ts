import type { Tx } from '../store/open.ts'
import { compareTable, type ComparedRow } from './compare-rows.ts'
import type { Finder } from './finding.ts'
import { literal, readRows } from './read-rows.ts'
import type { Told } from './replay.ts'
import { isNative } from './replay-policies.ts'
import { bindingKey, isUnknown, templateScope } from './replay-roles.ts'
import type { ToldRow } from './told-table.ts'
import { watchedTables } from './watched-tables.ts'

interface Binding {
  readonly principal_id: string
  readonly role_name: string
  readonly scope_type: string
  readonly scope_id: string
  readonly created_at: Date
}

/** Compares roles with what the leaves tell of them: those on a template by the template, whatever it is called by now. */
export async function checkRoles(tx: Tx, orgId: string, told: Told, find: Finder): Promise<void> {
  const names = await namesOf(tx, orgId, told)
  const shownAs = (key: string) => {
    const [principal = '', role = '', type = '', ...scope] = key.split('/')
    const name = type === templateScope ? names.ofTemplate.get(scope.join('/')) : undefined
    return name === undefined ? key : bindingKey(principal, role, type, name)
  }
  const isUnknownRole = (key: string) => {
    const [principal = '', role = '', type = ''] = key.split('/')
    return isUnknown(told, principal, role, type)
  }
  await compareTable(find, {
    table: 'role_bindings',
    told: told.role_bindings,
    columns: watchedTables.role_bindings.columns,
    rows: bindings(tx, orgId, names.toTemplate),
    isUnknown: isUnknownRole,
    shownAs,
  })
}

async function* bindings(
  tx: Tx,
  orgId: string,
  toTemplate: ReadonlyMap<string, string>,
): AsyncGenerator<ComparedRow, void, undefined> {
  const rows = readRows<Binding & ToldRow>(tx, `select * from role_bindings where org_id = ${literal(orgId)}`)
  for await (const row of rows) {
    const { principal_id: principal, role_name: role, scope_type: type, scope_id: scope } = row
    const meant = type === templateScope ? (toTemplate.get(scope) ?? scope) : scope
    yield {
      key: bindingKey(principal, role, type, meant),
      shown: bindingKey(principal, role, type, scope),
      row,
    }
  }
}

interface Names {
  /** From a name to the template. */
  readonly toTemplate: ReadonlyMap<string, string>
  /** From a template to its name. */
  readonly ofTemplate: ReadonlyMap<string, string>
}

/** What templates are called, by their leaves; those whose names are erased, or lost, by their rows. */
async function namesOf(tx: Tx, orgId: string, { policies, templates }: Told): Promise<Names> {
  const stored = new Map<string, string>()
  const rows = readRows<{ id: string; name: string }>(
    tx,
    `select id, name from policies where org_id = ${literal(orgId)} and dialect = 'native'`,
  )
  for await (const { id, name } of rows) stored.set(id, name)
  const toTemplate = new Map<string, string>()
  const ofTemplate = new Map<string, string>()
  for (const [id, row] of policies) {
    const name = typeof row['name'] === 'string' ? row['name'] : stored.get(id)
    const template = templates.get(id) ?? id
    if (name === undefined || !isNative(row)) continue
    toTemplate.set(name, template)
    ofTemplate.set(template, name)
  }
  return { toTemplate, ofTemplate }
}
