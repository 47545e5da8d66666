import type { Ctx } from '../context.ts'
import {
  dropKeptTexts,
  dropTemplateNames,
  eraseApiKey,
  eraseNamed,
  erasePrincipal,
  eraseReason,
  eraseRequest,
  erasedOf,
  eraseVersion,
  findMaking,
  findOrganizationId,
  isToldErased,
  lockErasedPrincipal,
  lockVersions,
  renameRoleScope,
} from '../store/erasure.ts'
import type { Tx } from '../store/open.ts'
import { transact } from '../store/unit-of-work.ts'
import { findRequestForUpdate } from '../store/requests.ts'
import { lockFacts } from '../store/voting.ts'
import { appendLeaf } from './append.ts'

/** What is to be forgotten: the texts of whatever has this id, or the reason of one vote on the request that has it. */
export interface Subject {
  /** The organization's id or name. */
  readonly organization: string
  readonly id: string
  /** The number of a vote; null for the subject itself. */
  readonly seq: number | null
}

export interface Erased {
  readonly what: string
  /** Names of columns, in the order of the alphabet; none when there was nothing left to erase. */
  readonly fields: readonly string[]
  /** So many leaves had texts beside them. */
  readonly leaves: number
}

/** Nothing was erased; the message tells an operator why. */
export class ErasureRefused extends Error {
  override readonly name = 'ErasureRefused'
}

/**
 * Erases names and free text that the law asks for, salts with them, and leaves a leaf that says so: all of it or nothing. What leaves
 * commit to stays, and can be opened by nobody.
 * @throws ErasureRefused for an id that nothing has, and for what is still in use under its name
 */
export async function eraseText(ctx: Ctx, { organization, id, seq }: Subject): Promise<Erased> {
  return await transact(ctx, null, async (tx) => {
    const orgId = await findOrganizationId(tx, organization)
    if (orgId === undefined) throw new ErasureRefused(`There is no organization ${organization}.`)
    if (seq !== null) return await eraseVote(ctx, tx, orgId, id, seq)
    const made = await findMaking(tx, orgId, id, Object.keys(makings))
    const making = makings[made ?? '']
    if (making === undefined)
      throw new ErasureRefused(`The log of ${organization} tells of nothing with the id ${id} that has texts.`)
    const { what, fields } = making
    const { subjects, changed, leaves } = await making.erase(tx, orgId, id)
    const texts = leaves + (await dropKeptTexts(tx, orgId, subjects))
    if (changed + texts === 0 && (await isToldErased(tx, orgId, id))) return { what, fields: [], leaves: 0 }
    for (const subject of subjects) await tell(ctx, tx, orgId, subject, { fields })
    return { what, fields, leaves: texts }
  })
}

interface Gone {
  /** Those whose texts go with it. */
  readonly subjects: readonly string[]
  /** Rows that held something else than what an erasure leaves. */
  readonly changed: number
  /** Other leaves that had a text of it beside them. */
  readonly leaves: number
}

interface Making {
  readonly what: string
  readonly fields: readonly string[]
  readonly erase: (tx: Tx, orgId: string, id: string) => Promise<Gone>
}

const ofOne =
  (erase: (tx: Tx, orgId: string, id: string) => Promise<number>): Making['erase'] =>
  async (tx, orgId, id) => ({ subjects: [id], changed: await erase(tx, orgId, id), leaves: 0 })

const principal = { fields: ['email', 'name'], erase: ofOne(erasePerson) }
const template = { what: 'template', fields: ['description', 'metadata', 'name', 'stages'], erase: eraseTemplate }

/** By the leaf of its making what has texts, and the columns that hold them. What is deleted has them beside its leaves only. */
const makings: Readonly<Record<string, Making>> = {
  'user.created': { what: 'user', ...principal },
  'agent.registered': { what: 'agent', ...principal },
  'group.created': {
    what: 'group',
    fields: ['description', 'name'],
    erase: ofOne((tx, orgId, id) => eraseNamed(tx, 'groups', orgId, id)),
  },
  'space.created': {
    what: 'space',
    fields: ['description', 'name'],
    erase: ofOne((tx, orgId, id) => eraseNamed(tx, 'spaces', orgId, id)),
  },
  'template.created': template,
  'template.updated': template,
  'request.created': { what: 'request', fields: ['description', 'metadata', 'name'], erase: ofOne(eraseDecided) },
  'api-key.created': { what: 'API key', fields: ['name'], erase: ofOne(eraseApiKey) },
}

async function erasePerson(tx: Tx, orgId: string, id: string): Promise<number> {
  const row = await lockErasedPrincipal(tx, orgId, id)
  if (row?.may_sign_in === true) {
    throw new ErasureRefused(
      `The user ${id} signs in with their e-mail address: disable them first, in every organization.`,
    )
  }
  return await erasePrincipal(tx, orgId, id)
}

/** Whoever decides has to see what on. */
async function eraseDecided(tx: Tx, orgId: string, id: string): Promise<number> {
  const row = await findRequestForUpdate(tx, orgId, id)
  if (row?.is_final === false) {
    throw new ErasureRefused(`The request ${id} can still be voted on: cancel it, or let it be decided.`)
  }
  return await eraseRequest(tx, orgId, id)
}

/** Its versions have one name, so all of them. */
async function eraseTemplate(tx: Tx, orgId: string, id: string): Promise<Gone> {
  // Roles are held by the name.
  await lockFacts(tx, orgId)
  const versions = await lockVersions(tx, orgId, id)
  if (versions.some(({ status }) => status !== 'deprecated')) {
    throw new ErasureRefused(`The template ${id} is in use under its name: deprecate it, and let its requests end.`)
  }
  const [first] = versions
  const subjects = versions.length === 0 ? [id] : versions.map((version) => version.id)
  const name = erasedOf(first?.id ?? id)
  let changed = 0
  for (const version of versions) changed += await eraseVersion(tx, orgId, version.id, name)
  if (first !== undefined && first.name !== name) await renameRoleScope(tx, orgId, first.name, name)
  return { subjects, changed, leaves: await dropTemplateNames(tx, orgId, subjects) }
}

async function eraseVote(ctx: Ctx, tx: Tx, orgId: string, requestId: string, seq: number): Promise<Erased> {
  const had = await eraseReason(tx, orgId, requestId, seq)
  if (had === undefined) throw new ErasureRefused(`There is no vote ${seq} on a request ${requestId}.`)
  const fields = had > 0 ? ['reason', 'reason_salt'] : []
  if (had > 0) await tell(ctx, tx, orgId, requestId, { fields, seq })
  return { what: `vote ${seq} on the request`, fields, leaves: 0 }
}

async function tell(
  ctx: Ctx,
  tx: Tx,
  orgId: string,
  subjectId: string,
  facts: { readonly fields: readonly string[]; readonly seq?: number },
): Promise<void> {
  const at = ctx.clock.now()
  await appendLeaf(ctx, tx, { orgId, kind: 'text.erased', subjectId, actor: { kind: 'system' }, at, facts })
}
