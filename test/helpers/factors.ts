import { castVote, type CastVoteResult } from '../../src/approvals/cast-vote.ts'
import { policyInLeaf } from '../../src/approvals/policy-leaf.ts'
import { noDeadline, openRequest } from '../../src/approvals/open-request.ts'
import { appendLeaf } from '../../src/audit/append.ts'
import { policyDigest } from '../../src/audit/digest.ts'
import { setPersonPassword } from '../../src/identity/credentials/person-password.ts'
import { openRegistration, openVoteChallenge } from '../../src/identity/webauthn/challenges.ts'
import type { RequestOptions, U2fRequest } from '../../src/identity/webauthn/options.ts'
import { relyingPartyOf } from '../../src/identity/webauthn/relying-party.ts'
import { addSecurityKey } from '../../src/identity/webauthn/security-keys.ts'
import { withVoteFactors, type VoteFactors } from '../../src/identity/webauthn/vote-factors.ts'
import type { Stance } from '../../src/kernel/request.ts'
import type { Assurance, PolicyOptions, Rule } from '../../src/kernel/rule.ts'
import { findPolicyForShare } from '../../src/store/policies.ts'
import type { Row } from '../../src/store/schema.ts'
import { transact } from '../../src/store/unit-of-work.ts'
import type { Authenticator, Ceremony, Format } from './authenticator.ts'
import { insertPolicy, orgId } from './quorum.ts'
import { callerOf } from './role-requests.ts'
import { startWorld, type Client, type World, type WorldOptions } from './world.ts'

/** As every quorum of the dialect decides. */
export const quorumOptions: PolicyOptions = {
  veto: 'final',
  requesterMayVote: true,
  distinctPeople: false,
  naturalPersons: false,
  recheckEligibility: false,
  vetoNeedsAssurance: false,
  approvesOnce: true,
}

export type Voter = Client & { readonly personId: string }

/** A world in which people vote with passwords and security keys. */
export interface FactorWorld extends World {
  /** With a password, if one is given. */
  voter(name: string, password?: string): Promise<Voter>
  asVoter(client: Client): Promise<Voter>
  addKey(voter: Voter, key: Authenticator, format?: Format, name?: string): Promise<void>
  /** A request that so many of the voters have to approve, all of them unless told otherwise, each with these proofs. */
  ask(voters: readonly Voter[], assurance?: readonly Assurance[], atLeast?: number): Promise<string>
  /** The same by any rule, with this to be told of the request. */
  askBy(rule: Rule, requester: Voter, told?: Partial<Asked>): Promise<string>
  fido2(voter: Voter, request: string): Promise<RequestOptions>
  u2f(voter: Voter, request: string): Promise<U2fRequest>
  /** What a page that was served from here asks a browser for. */
  ceremony(options: { readonly challenge: string }): Ceremony
  approve(voter: Voter, request: string, factors?: VoteFactors, stance?: Stance): Promise<CastVoteResult>
  votesOn(request: string): Promise<Row<'votes'>[]>
}

export interface Asked {
  readonly name: string
  readonly metadata: Readonly<Record<string, string>>
}

export async function startFactorWorld(options: WorldOptions = {}): Promise<FactorWorld> {
  return withFactors(await startWorld({ env: { QUORATE_PUBLIC_URL: 'https://approve.example' }, ...options }))
}

/** The same of a world that stands already. */
export function withFactors(world: World): FactorWorld {
  const { ctx } = world
  const toProve = async (request: string, { personId }: Voter) => {
    const row = await ctx.db.selectFrom('requests').selectAll().where('id', '=', request).executeTakeFirstOrThrow()
    const policy = await ctx.db
      .selectFrom('policies')
      .selectAll()
      .where('id', '=', row.policy_id)
      .executeTakeFirstOrThrow()
    return { orgId, requestId: request, digest: row.digest, policyDigest: policyDigest(policy), personId }
  }
  const ceremony: FactorWorld['ceremony'] = ({ challenge }) => {
    const { id: rpId, origins } = relyingPartyOf(ctx)
    return { challenge, rpId, origin: origins[0] ?? '' }
  }
  const askBy: FactorWorld['askBy'] = async (rule, requester, told = {}) =>
    transact(ctx, null, async (tx) => {
      const inTx = { ...ctx, db: tx }
      const policyId = await insertPolicy(inTx, rule, quorumOptions, { dialect: 'fortanix' })
      const policy = await findPolicyForShare(tx, orgId, policyId)
      if (policy === undefined) throw new Error('the policy is not there')
      const actor = { kind: 'human', id: requester.id } as const
      const made = { orgId, kind: 'template.created', subjectId: policyId, actor, at: ctx.clock.now() } as const
      await appendLeaf(ctx, tx, { ...made, ...policyInLeaf(ctx, policy) })
      return await openRequest(tx, ctx, {
        policy,
        actor,
        requester: { principal: requester.id, person: requester.personId },
        name: told.name ?? 'sign',
        description: null,
        metadata: told.metadata ?? {},
        expiresAt: noDeadline,
      })
    })
  const asVoter: FactorWorld['asVoter'] = async (client) => {
    const { person_id: personId } = await ctx.db
      .selectFrom('principals')
      .select('person_id')
      .where('id', '=', client.id)
      .executeTakeFirstOrThrow()
    if (personId === null) throw new Error('a voter is a person')
    return { ...client, personId }
  }
  return {
    ...world,
    ceremony,
    async voter(name, password) {
      const client = await world.person(name)
      const { personId } = await asVoter(client)
      if (password !== undefined) await transact(ctx, null, (tx) => setPersonPassword(ctx, tx, personId, password))
      return { ...client, personId }
    },
    asVoter,
    async addKey({ personId }, key, format = 'none', name = 'my key') {
      const sessionId = ctx.newId()
      const asked = await openRegistration(ctx, { id: personId, name: 'a person' }, sessionId, 'fido2')
      const attestation = key.register(ceremony(asked), { format })
      await addSecurityKey(ctx, { personId, sessionId }, { name, attestation })
    },
    async ask(voters, assurance = [], atLeast = voters.length) {
      const of = voters.map(({ id }) => ({
        kind: 'seats' as const,
        atLeast: 1,
        from: { kind: 'principal' as const, id },
        assurance,
      }))
      const [first] = voters
      if (first === undefined) throw new Error('nobody is asked')
      return await askBy({ kind: 'threshold', atLeast, of }, first)
    },
    askBy,
    async fido2(voter, request) {
      const opened = await openVoteChallenge(ctx, await toProve(request, voter), 'fido2')
      return opened.options as RequestOptions
    },
    async u2f(voter, request) {
      const opened = await openVoteChallenge(ctx, await toProve(request, voter), 'u2f')
      return opened.options as U2fRequest
    },
    async approve(voter, requestId, factors = {}, stance = 'approve') {
      const { personId } = voter
      return await withVoteFactors(ctx, { personId, requestId }, factors, (proofs) =>
        castVote(
          ctx,
          callerOf(voter),
          { id: requestId },
          { stance, groups: null, reason: null, signature: null, dialect: 'fortanix', proofs },
        ),
      )
    },
    votesOn: async (request) =>
      await ctx.db.selectFrom('votes').selectAll().where('request_id', '=', request).orderBy('seq').execute(),
  }
}

/** The code of a refusal, or the status that the vote led to. */
export async function outcomeOf(vote: Promise<CastVoteResult>): Promise<string> {
  return await vote.then(
    ({ status }) => status,
    (error: { code?: string }) => error.code ?? 'a fault',
  )
}
