import type { Ctx } from '../context.ts'
import {
  deleteFactorsOf,
  disableMemberships,
  eraseAccount,
  eraseApp,
  eraseKey,
  eraseOperation,
  erasePersonRows,
  findCustodyPerson,
  findHumanPrincipals,
  lockErasedAccount,
  lockErasedOperation,
  lockPerson,
} from '../store/erase-custody.ts'
import { erasePrincipal, findMaking } from '../store/erasure.ts'
import type { Tx } from '../store/open.ts'
import { defaultOrganizationId } from '../store/organizations.ts'
import { appendLeaf } from './append.ts'
import { ErasureRefused, nothingGone, ofOne, together, type Gone } from './gone.ts'

/** Of everyone who may have accounts, whatever organization they are in. */
const peopleLog = defaultOrganizationId
const system = { kind: 'system' } as const

/**
 * What a person is beside what they are in an organization: a user of accounts, by their names and their address. With that
 * goes what they prove themselves with, so that they cannot come back, and what they may in accounts.
 */
export async function eraseUserBehind(ctx: Ctx, tx: Tx, orgId: string, principalId: string): Promise<Gone> {
  const personId = await findCustodyPerson(tx, orgId, principalId)
  return personId === undefined ? nothingGone : await erasePersonAlone(ctx, tx, personId)
}

/** Somebody who signed up or was invited, with whatever they are in any organization. */
export async function eraseUser(ctx: Ctx, tx: Tx, personId: string): Promise<Gone> {
  await lockPerson(tx, personId)
  const gone = [await erasePersonAlone(ctx, tx, personId)]
  for (const { org_id: orgId, id } of await findHumanPrincipals(tx, personId)) {
    gone.push(ofOne(id, await erasePrincipal(tx, orgId, id), ['email', 'name'], orgId))
  }
  return together(gone)
}

async function erasePersonAlone(ctx: Ctx, tx: Tx, personId: string): Promise<Gone> {
  const shutOut = await shutOutUser(ctx, tx, personId)
  const fields = ['email', 'first_name', 'last_name', 'name']
  return ofOne(personId, shutOut + (await erasePersonRows(tx, personId)), fields, peopleLog)
}

/** @returns how many things kept them in */
async function shutOutUser(ctx: Ctx, tx: Tx, personId: string): Promise<number> {
  const at = ctx.clock.now()
  const factors = await deleteFactorsOf(tx, personId)
  const leaf = { subjectId: personId, actor: system, at }
  if (factors > 0) await appendLeaf(ctx, tx, { ...leaf, orgId: peopleLog, kind: 'person.shut-out', facts: {} })
  const ended = await disableMemberships(tx, personId, at)
  for (const { org_id: orgId, principal_id: principal, role } of ended) {
    const facts = { role, isEnabled: false, ...(principal !== null && { principal }) }
    await appendLeaf(ctx, tx, { ...leaf, orgId, kind: 'member.changed', facts })
  }
  return factors + ended.length
}

/** What an app has beside an API client. It goes on signing in, by its id. */
export async function eraseAppBehind(tx: Tx, orgId: string, id: string): Promise<Gone> {
  const made = await findMaking(tx, orgId, id, ['app.created'])
  return made === undefined ? nothingGone : ofOne(id, await eraseApp(tx, orgId, id), ['app_type', 'description'])
}

/** A key goes on working, by its id. */
export async function eraseKeyTexts(tx: Tx, orgId: string, id: string): Promise<Gone> {
  return ofOne(id, await eraseKey(tx, orgId, id), ['description', 'name'])
}

/** What was to be done and what came of it: both are kept sealed, and either may name somebody. */
export async function eraseOperationTexts(tx: Tx, orgId: string, id: string): Promise<Gone> {
  const row = await lockErasedOperation(tx, orgId, id)
  if (row === undefined) return nothingGone
  if (row.execution === 'due')
    throw new ErasureRefused(`The request ${id} is approved and not done yet: let it be done.`)
  return ofOne(id, await eraseOperation(tx, orgId, id), ['body', 'operation', 'result'])
}

/** Of an account that the server made the name stays: it is that of an organization, which is known by it. */
export async function eraseAccountTexts(tx: Tx, orgId: string): Promise<Gone> {
  const account = await lockErasedAccount(tx, orgId)
  if (account === undefined) return nothingGone
  const isOnesOwn = account.creator_id !== null
  const changed = await eraseAccount(tx, orgId, isOnesOwn)
  return ofOne(orgId, changed, isOnesOwn ? ['description', 'name'] : ['description'])
}
