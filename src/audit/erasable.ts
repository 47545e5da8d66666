import type { Tx } from '../store/open.ts'
import {
  dropTemplateNames,
  eraseApiKey,
  eraseGroup,
  erasePrincipal,
  eraseRequest,
  eraseSettings,
  eraseSpace,
  erasedOf,
  lockErasedGroup,
  lockErasedPrincipal,
  lockSettings,
  maySignIn,
} from '../store/erasure.ts'
import {
  eraseVersion,
  eraseWorkflowRow,
  findLineage,
  findWorkflowDecidedBy,
  findWorkflowVersions,
  lockErasedWorkflow,
  lockVersions,
  renameRoleScope,
  type ErasedVersion,
} from '../store/erase-policies.ts'
import { findRequestForUpdate } from '../store/requests.ts'
import { lockFacts } from '../store/fact-locks.ts'
import type { Ctx } from '../context.ts'
import {
  eraseAccountTexts,
  eraseAppBehind,
  eraseKeyTexts,
  eraseOperationTexts,
  eraseUser,
  eraseUserBehind,
} from './erase-custody.ts'
import { ErasureRefused, nothingGone, ofOne, together, type Gone } from './gone.ts'
import type { LeafKind } from './leaf.ts'

/** Something that has texts. */
export interface Erasable {
  readonly what: string
  /** Erases the columns that hold them. @throws ErasureRefused while it is in use under its name */
  readonly erase: (tx: Tx, orgId: string, id: string, ctx: Ctx) => Promise<Gone>
}

const policyFields = ['description', 'metadata', 'name', 'stages']
const named = ['description', 'name']
const template = { what: 'template', erase: eraseTemplate }

/** By the leaf of its making whatever has texts. What is deleted has them beside its leaves only. */
export const erasables: Partial<Readonly<Record<LeafKind, Erasable>>> = {
  'user.created': { what: 'user', erase: erasePerson },
  'person.registered': { what: 'person', erase: eraseRegistered },
  'agent.registered': { what: 'agent', erase: erasePerson },
  'api-client.created': { what: 'API client', erase: eraseClient },
  'group.created': { what: 'group', erase: eraseGroupOrRole },
  'space.created': {
    what: 'space',
    erase: async (tx, orgId, id) => ofOne(id, await eraseSpace(tx, orgId, id), named),
  },
  'template.created': template,
  'template.updated': template,
  'workflow.created': { what: 'workflow', erase: eraseWorkflow },
  'access-settings.changed': { what: 'settings of', erase: eraseOwnTexts },
  'account.created': { what: 'account', erase: eraseOwnTexts },
  'key.created': { what: 'key', erase: eraseKeyTexts },
  'request.created': { what: 'request', erase: eraseDecided },
  'api-key.created': {
    what: 'API key',
    erase: async (tx, orgId, id) => ofOne(id, await eraseApiKey(tx, orgId, id), ['name']),
  },
  // Of a test there is its leaf alone.
  'action.tested': { what: 'test', erase: async (_tx, _orgId, id) => ofOne(id, 0, ['destination']) },
}

async function erasePerson(tx: Tx, orgId: string, id: string, ctx: Ctx): Promise<Gone> {
  const row = await lockErasedPrincipal(tx, orgId, id)
  if (row?.may_sign_in === true) {
    const by = row.is_local ? 'name' : 'e-mail address'
    throw new ErasureRefused(`The user ${id} signs in with their ${by}: disable them first, in every organization.`)
  }
  const local = row?.is_local === true ? ['attributes', 'email', 'full_name', 'name', 'username'] : ['email', 'name']
  const behind = await eraseUserBehind(ctx, tx, orgId, id)
  return together([ofOne(id, await erasePrincipal(tx, orgId, id), local), behind])
}

/** Whoever has accounts of their own can be shut out of them by nobody else: an erasure does it. */
async function eraseRegistered(tx: Tx, _orgId: string, id: string, ctx: Ctx): Promise<Gone> {
  if (await maySignIn(tx, id)) {
    throw new ErasureRefused(`The person ${id} signs in with their e-mail address: disable them first, as a user.`)
  }
  return await eraseUser(ctx, tx, id)
}

async function eraseClient(tx: Tx, orgId: string, id: string, ctx: Ctx): Promise<Gone> {
  return together([await erasePerson(tx, orgId, id, ctx), await eraseAppBehind(tx, orgId, id)])
}

async function eraseGroupOrRole(tx: Tx, orgId: string, id: string): Promise<Gone> {
  const row = await lockErasedGroup(tx, orgId, id)
  if (row?.attributes['system'] === true) {
    throw new ErasureRefused(`The role ${id} is the server's own, which it knows by its name.`)
  }
  const fields = row?.dialect === 'privx' ? ['attributes', ...named] : named
  return ofOne(id, await eraseGroup(tx, orgId, id), fields)
}

/** Whoever decides has to see what on. */
async function eraseDecided(tx: Tx, orgId: string, id: string): Promise<Gone> {
  const row = await findRequestForUpdate(tx, orgId, id)
  if (row?.is_final === false) {
    throw new ErasureRefused(`The request ${id} can still be voted on: cancel it, or let it be decided.`)
  }
  const content = ['description', 'metadata', 'name']
  const fields = row?.dialect === 'privx' ? ['comment', ...content, 'steps'] : content
  const operation = await eraseOperationTexts(tx, orgId, id)
  return together([ofOne(id, await eraseRequest(tx, orgId, id), fields), operation])
}

/** What an organization says of itself: as an account, and how it sends mail. */
async function eraseOwnTexts(tx: Tx, orgId: string, id: string): Promise<Gone> {
  const account = await eraseAccountTexts(tx, orgId)
  return together([account, await eraseUnusedSettings(tx, orgId, id, account !== nothingGone)])
}

async function eraseUnusedSettings(tx: Tx, orgId: string, id: string, isAccount: boolean): Promise<Gone> {
  const settings = await lockSettings(tx, orgId)
  if (settings === undefined && isAccount) return nothingGone
  if (settings?.['isEnabled'] === true) {
    throw new ErasureRefused('Mail is sent by the settings: switch it off first.')
  }
  const changed = settings === undefined ? 0 : await eraseSettings(tx, orgId, settings)
  return ofOne(id, changed, ['sealed_password', 'settings'])
}

/** Its versions have one name, so all of them. */
async function eraseTemplate(tx: Tx, orgId: string, id: string): Promise<Gone> {
  // Roles are held by the name.
  await lockFacts(tx, orgId)
  const lineage = await findLineage(tx, orgId, id)
  const workflow = await findWorkflowDecidedBy(tx, orgId, lineage)
  if (workflow !== undefined) {
    throw new ErasureRefused(`The template ${id} is the rule of the workflow ${workflow}: erase that, and it goes too.`)
  }
  const versions = await lockVersions(tx, orgId, lineage)
  if (versions.some(isInUse)) {
    throw new ErasureRefused(`The template ${id} is in use under its name: deprecate it, and let its requests end.`)
  }
  return await eraseVersions(tx, orgId, lineage, versions)
}

/** With every version of its rule, which are called as it was called then. */
async function eraseWorkflow(tx: Tx, orgId: string, id: string): Promise<Gone> {
  await lockFacts(tx, orgId)
  const row = await lockErasedWorkflow(tx, orgId, id)
  if (row?.is_used === true) throw new ErasureRefused(`The workflow ${id} is in use under its name: delete it first.`)
  const lineage = await findWorkflowVersions(tx, orgId, id)
  const versions = await lockVersions(tx, orgId, lineage)
  if (versions.some(isInUse)) throw new ErasureRefused(`Requests of the workflow ${id} are open: let them end.`)
  const gone = await eraseVersions(tx, orgId, lineage, versions)
  const changed = gone.changed + (await eraseWorkflowRow(tx, orgId, id))
  return { ...gone, subjects: [{ id, fields: ['comment', 'name', 'steps'] }, ...gone.subjects], changed }
}

const isInUse = ({ status }: ErasedVersion) => status !== 'deprecated'

/** @param lineage ids of all versions there ever were, the first first @param versions those that are there */
async function eraseVersions(
  tx: Tx,
  orgId: string,
  lineage: readonly string[],
  versions: readonly ErasedVersion[],
): Promise<Gone> {
  const ids = [...new Set([...lineage, ...versions.map((version) => version.id)])]
  const name = erasedOf(ids[0] as string)
  let changed = 0
  for (const version of versions) changed += await eraseVersion(tx, orgId, version.id, name)
  const native = versions.filter((version) => version.dialect === 'native' && version.name !== name)
  for (const before of new Set(native.map((version) => version.name))) await renameRoleScope(tx, orgId, before, name)
  const subjects = ids.map((version) => ({ id: version, fields: policyFields }))
  return { subjects, changed, leaves: await dropTemplateNames(tx, orgId, ids) }
}
