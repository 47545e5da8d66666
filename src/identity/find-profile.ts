import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { findProfile, type ProfileKey, type ProfileRow } from '../store/profiles.ts'
import { callerNotFound, type Actor } from './actor.ts'

/** A principal with the groups they are in and the roles they hold. */
export type Profile = ProfileRow

/** @throws AppError USER_NOT_FOUND */
export async function findUser(ctx: Ctx, actor: Actor, key: ProfileKey): Promise<Profile> {
  const profile = await findProfile(ctx.db, actor.orgId, key)
  if (profile?.kind !== 'human') throw new AppError('USER_NOT_FOUND')
  return profile
}

/** @throws AppError AGENT_NOT_FOUND */
export async function findAgent(ctx: Ctx, actor: Actor, key: ProfileKey): Promise<Profile> {
  const profile = await findProfile(ctx.db, actor.orgId, key)
  if (profile?.kind !== 'agent') throw new AppError('AGENT_NOT_FOUND')
  return profile
}

/** The caller's own. */
export async function findOwnProfile(ctx: Ctx, actor: Actor): Promise<Profile> {
  const profile = await findProfile(ctx.db, actor.orgId, { id: actor.principalId })
  if (profile === undefined) throw callerNotFound(actor)
  return profile
}
