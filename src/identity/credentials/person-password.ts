import { appendLeaf } from '../../audit/append.ts'
import type { LeafActor } from '../../audit/leaf.ts'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import type { Tx } from '../../store/open.ts'
import {
  findPasswordByEmail,
  findPasswordOf,
  upsertPassword,
  type PersonPassword,
} from '../../store/person-credentials.ts'
import { defaultOrganization } from '../organization.ts'
import { countAttempt } from './attempts.ts'
import { isPassword } from './password-hash.ts'

/**
 * A person by address and password. Unknown addresses, wrong passwords and people without one are told apart for nobody.
 * @returns their id
 * @throws AppError CREDENTIALS_INVALID, TOO_MANY_REQUESTS
 */
export async function proveByEmail(ctx: Ctx, email: string, password: string): Promise<string> {
  const known = await findPasswordByEmail(ctx.db, email)
  if (!(await isRight(ctx, known?.personId ?? email, known, password))) throw new AppError('CREDENTIALS_INVALID')
  return known!.personId
}

/** The same of a person who is signed in. @throws AppError PASSWORD_WRONG, TOO_MANY_REQUESTS */
export async function provePersonPassword(ctx: Ctx, personId: string, password: string): Promise<void> {
  const known = await findPasswordOf(ctx.db, personId)
  if (!(await isRight(ctx, personId, known, password))) throw new AppError('PASSWORD_WRONG')
}

/** Attempts at a person are counted together, wherever they come in. */
async function isRight(
  ctx: Ctx,
  counted: string,
  known: PersonPassword | undefined,
  password: string,
): Promise<boolean> {
  const takeBack = await countAttempt(ctx, 'password', `person:${counted}`)
  if (!(await isPassword(password, known?.hash ?? null))) return false
  await takeBack()
  return known !== undefined
}

/** @param hash as `hashPassword` gives it, made before the transaction opened */
export async function setPersonPassword(
  ctx: Pick<Ctx, 'clock' | 'newId' | 'keys'>,
  tx: Tx,
  actor: LeafActor,
  { personId, hash }: PersonPassword,
): Promise<void> {
  const at = ctx.clock.now()
  await upsertPassword(tx, { id: ctx.newId(), personId, hash, at })
  await appendLeaf(ctx, tx, {
    orgId: defaultOrganization.id,
    kind: 'person.password-changed',
    subjectId: personId,
    actor,
    at,
    facts: {},
  })
}
