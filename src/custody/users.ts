import { appendLeaf } from '../audit/append.ts'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { setPersonPassword } from '../identity/credentials/person-password.ts'
import {
  findCustodyUser,
  findPersonByEmail,
  insertCustodyUser,
  updateCustodyUser,
  type CustodyUserRow,
} from '../store/fortanix-users.ts'
import type { Tx } from '../store/open.ts'
import { findOrInsertPerson } from '../store/people.ts'
import { transact } from '../store/unit-of-work.ts'
import { requirePerson } from './account-rights.ts'
import { peopleLog, personActor, type CustodyCaller } from './caller.ts'
import type { LeafActor } from '../audit/leaf.ts'

export interface NewUser {
  readonly email: string
  readonly firstName: string | null
  readonly lastName: string | null
  /** Null for one who is invited and gives themselves one. */
  readonly password: string | null
}

/**
 * Makes a user of whoever says that the address is theirs: nobody checks that here, so that an installation has to allow it.
 * Whoever was invited by the address and has no password yet comes by one so; a person whom another organization knows does not.
 * @returns their id
 * @throws AppError SIGN_UP_CLOSED, USER_ALREADY_EXISTS
 */
export async function signUp(ctx: Ctx, user: NewUser): Promise<string> {
  if (!ctx.config.fortanix.openSignUp) throw new AppError('SIGN_UP_CLOSED')
  return await transact(ctx, null, async (tx) => {
    const known = await findPersonByEmail(tx, user.email)
    const mayBecome = known === undefined || (!known.isPrincipal && !known.hasPassword)
    if (!mayBecome) throw new AppError('USER_ALREADY_EXISTS')
    return await addUser(ctx, tx, null, user)
  })
}

/** Makes a person a user, if they are none, and gives them the password. @param actor null for themselves */
export async function addUser(ctx: Ctx, tx: Tx, actor: LeafActor | null, user: NewUser): Promise<string> {
  const at = ctx.clock.now()
  const { email, firstName, lastName, password } = user
  const personId = await findOrInsertPerson(tx, { id: ctx.newId(), email, created_at: at })
  // Whoever has a password was let in by somebody who knows them, or where that is not asked.
  const verified_at = password === null ? null : at
  if ((await findCustodyUser(tx, personId)) === undefined) {
    await insertCustodyUser(tx, {
      person_id: personId,
      first_name: firstName,
      last_name: lastName,
      verified_at,
      created_at: at,
    })
  } else {
    await updateCustodyUser(tx, personId, {
      ...(firstName !== null && { first_name: firstName }),
      ...(lastName !== null && { last_name: lastName }),
      ...(verified_at !== null && { verified_at }),
    })
  }
  if (password !== null) await setPersonPassword(ctx, tx, personId, password)
  await appendLeaf(ctx, tx, {
    orgId: peopleLog,
    kind: 'person.registered',
    subjectId: personId,
    actor: actor ?? personActor(personId),
    at,
    facts: { hasPassword: password !== null },
    privateText: { email, firstName, lastName },
  })
  return personId
}

/** What a person says of themselves; what is undefined stays. */
export interface UserNames {
  readonly firstName?: string | null
  readonly lastName?: string | null
}

export async function renameUser(ctx: Ctx, tx: Tx, personId: string, names: UserNames): Promise<void> {
  const { firstName, lastName } = names
  if (firstName === undefined && lastName === undefined) return
  await updateCustodyUser(tx, personId, {
    ...(firstName !== undefined && { first_name: firstName }),
    ...(lastName !== undefined && { last_name: lastName }),
  })
  const user = await findCustodyUser(tx, personId)
  await appendLeaf(ctx, tx, {
    orgId: peopleLog,
    kind: 'person.changed',
    subjectId: personId,
    actor: personActor(personId),
    at: ctx.clock.now(),
    facts: {},
    // Both as they are now: of a name that was taken away nothing else would tell.
    privateText: { firstName: user?.first_name, lastName: user?.last_name },
  })
}

/** The person who calls, as a user. @throws AppError REQUESTOR_NOT_AUTHORIZED for an app */
export async function requireUser(tx: Tx, caller: CustodyCaller): Promise<CustodyUserRow & { readonly email: string }> {
  const user = await findCustodyUser(tx, requirePerson(caller))
  const email = user?.email ?? null
  if (user === undefined || email === null) throw new AppError('REQUESTOR_NOT_AUTHORIZED')
  return { ...user, email }
}

/** How people are shown who gave no name. */
export function displayNameOf({ first_name, last_name, email }: CustodyUserRow): string {
  const name = [first_name, last_name].filter((part) => part !== null && part !== '').join(' ')
  return name === '' ? (email ?? '') : name
}
