import { appendLeaf } from '../../audit/append.ts'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { findHumanByEmail } from '../../store/people.ts'
import { findRequestFor } from '../../store/requests.ts'
import { insertSingleUseToken } from '../../store/single-use-tokens.ts'
import type { Tx } from '../../store/open.ts'
import { findAnswer, transact } from '../../store/unit-of-work.ts'
import type { RequestKey } from '../../store/voting.ts'
import { signAccessToken, stepUpSeconds, type StepUpOperation } from '../access-token.ts'
import { leafActorOf, loadActor, type Actor, type Caller } from '../actor.ts'
import { requirePresence, requireStepUpEnabled, stepUpPurpose } from '../step-up.ts'
import { callerBinding } from './flow-binding.ts'
import type { Identity } from './identity-provider.ts'
import { completeSignIn, type FlowProof } from './sign-in-flow.ts'

export interface StepUpRequest {
  readonly proof: FlowProof
  readonly operation: StepUpOperation
  /** What the token is bound to; null fits any resource. */
  readonly resource: RequestKey | null
}

/** How long ago the person may have signed in at the provider (contract §6.4), and how far its clock may be ahead. */
const freshSeconds = 30
const clockToleranceSeconds = 30

/**
 * Turns a sign-in that the caller has just repeated into a token for one operation, good once and for two minutes
 * (contract §6.4).
 * @throws AppError AUTH_HIGH_PRIVILEGE_FLOW_DISABLED; AUTH_INVALID_ENTITY for an agent, a key, another's flow or another person;
 * AUTH_SIGN_IN_NOT_FRESH; what `completeSignIn` throws
 */
export async function exchangeStepUp(ctx: Ctx, caller: Caller, request: StepUpRequest): Promise<string> {
  requireStepUpEnabled(ctx)
  requirePresence(caller)
  requirePerson(await loadActor(ctx.db, caller))
  // The code is exchanged outside of any transaction, so a repeated call must be known for one before it.
  const earlier = await findAnswer<string>(ctx, caller.once)
  if (earlier !== undefined) return earlier
  const binding = callerBinding(caller.orgId, caller.principalId)
  const completion = { purpose: 'step-up', binding, foreign: 'AUTH_INVALID_ENTITY' } as const
  const identity = await completeSignIn(ctx, completion, request.proof)
  requireFresh(identity, ctx.clock.now())
  return await transact(ctx, caller.once, async (tx) => {
    const actor = await loadActor(tx, caller)
    await requireSamePerson(tx, actor, identity)
    return await issueStepUp(ctx, tx, actor, request.operation, await resourceOf(tx, actor, request))
  })
}

function requirePerson({ kind }: Actor): void {
  if (kind !== 'human') throw new AppError('AUTH_INVALID_ENTITY')
}

// A provider that ignores prompt and max_age shows in the time it gives, or in giving none, which counts as 1970.
function requireFresh({ authTime }: Identity, now: Date): void {
  const secondsAgo = now.getTime() / 1000 - (authTime ?? 0)
  const isFresh = secondsAgo <= freshSeconds && secondsAgo >= -clockToleranceSeconds
  if (!isFresh) throw new AppError('AUTH_SIGN_IN_NOT_FRESH')
}

/** Found as at a sign-in, by e-mail address; nobody is registered here. */
async function requireSamePerson(tx: Tx, actor: Actor, { email }: Identity): Promise<void> {
  const person = await findHumanByEmail(tx, actor.orgId, email)
  if (person?.id !== actor.principalId) throw new AppError('AUTH_INVALID_ENTITY')
}

/** A vote compares with the id of its workflow, so a name is looked up; one that names nothing fits nothing. */
async function resourceOf(tx: Tx, actor: Actor, { operation, resource }: StepUpRequest): Promise<string | null> {
  if (resource === null) return null
  if ('id' in resource) return resource.id
  if (operation !== 'vote') return resource.name
  return (await findRequestFor(tx, actor.orgId, resource, actor.principalId))?.id ?? resource.name
}

async function issueStepUp(
  ctx: Ctx,
  tx: Tx,
  actor: Actor,
  operation: StepUpOperation,
  resource: string | null,
): Promise<string> {
  const { orgId, principalId } = actor
  const [tokenId, at] = [ctx.newId(), ctx.clock.now()]
  const expiresAt = new Date(at.getTime() + stepUpSeconds * 1000)
  await insertSingleUseToken(tx, { id: tokenId, purpose: stepUpPurpose, orgId, principalId }, expiresAt)
  await appendLeaf(ctx, tx, {
    orgId,
    kind: 'user.stepped-up',
    subjectId: principalId,
    actor: leafActorOf(actor),
    at,
    facts: { token: tokenId, operation },
    privateText: { resource },
  })
  return await signAccessToken(ctx.keys.token, ctx.clock, actor, { tokenId, operation, resource })
}
