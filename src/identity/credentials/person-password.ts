import { secretHmac } from '../../audit/leaf-hmac.ts'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import type { Db, Tx } from '../../store/open.ts'
import { findPasswordHash, findPersonByEmail, writePassword } from '../../store/person-passwords.ts'
import { tellOrganizations } from '../tell-organizations.ts'
import { countAttempt } from './attempts.ts'
import { hashPassword, isPassword } from './password-hash.ts'

/** Gives a person this password, in place of the one that they had. */
export async function setPersonPassword(ctx: Ctx, tx: Tx, personId: string, password: string): Promise<void> {
  const [hash, at] = [await hashPassword(password), ctx.clock.now()]
  const credential = await writePassword(tx, {
    person_id: personId,
    id: ctx.newId(),
    kind: 'password',
    name: 'password',
    hash,
    credential_id: null,
    public_key: null,
    details: '{}',
    created_at: at,
    changed_at: at,
  })
  const facts = { credential, secretHmac: secretHmac(ctx.keys.atRest.held, hash) }
  await tellOrganizations(ctx, tx, personId, at, { kind: 'password.changed', facts })
}

/**
 * A person by e-mail address and password. Unknown addresses, people without a password and wrong passwords are told apart for
 * nobody.
 * @returns id of the person
 * @throws AppError CREDENTIALS_INVALID, TOO_MANY_REQUESTS
 */
export async function provePersonPassword(ctx: Ctx, email: string, password: string): Promise<string> {
  const person = await findPersonByEmail(ctx.db, email)
  const takeBack = await countPersonAttempt(ctx, person?.id ?? email)
  const isRight = await isPassword(password, person?.hash ?? null)
  if (person === undefined || !isRight) throw new AppError('CREDENTIALS_INVALID')
  await takeBack()
  return person.id
}

/**
 * Counts an attempt at the password of a person, wherever it is made, by their id.
 * @returns takes the attempt back, to be called when it was right
 * @throws AppError TOO_MANY_REQUESTS
 */
export async function countPersonAttempt(ctx: Ctx, personId: string): Promise<() => Promise<void>> {
  return await countAttempt(ctx, 'person', personId)
}

/** Whether it is the person's password; false for one who has none, after as long. */
export async function isPersonPassword(db: Db, personId: string, password: string): Promise<boolean> {
  return await isPassword(password, await findPasswordHash(db, personId))
}
