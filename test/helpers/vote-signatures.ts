import { randomBytes } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { Machine } from './agents.ts'
import { addMember, giveRole, orgId } from './quorum.ts'
import { sign } from './signing.ts'
import type { Client } from './world.ts'
import { workflows, type VoteType, type WorkflowWorld } from './workflows.ts'

/** A machine that may vote, with the client that it calls with. */
export interface Signer extends Machine {
  readonly client: Client
}

/** Lets a machine vote everywhere, as a member of these groups. */
export async function signer(world: WorkflowWorld, agent: Machine, groups = [world.guards]): Promise<Signer> {
  await giveRole(world.ctx, agent.id, 'OrgWideWorkflowTemplateVoter')
  for (const group of groups) await addMember(world.ctx, group, agent.id)
  return { ...agent, client: await world.signedIn(agent.id) }
}

export const voteHeader = { typ: 'quorate-vote+jws' }
export const newNonce = (bytes = 16): string => randomBytes(bytes).toString('base64url')
const stances = { APPROVE: 'approve', VETO: 'veto', WITHDRAW: 'withdraw' } as const

/** What a good signature over a vote says. */
export async function goodClaims(
  world: WorkflowWorld,
  agent: Machine,
  workflowId: string,
  type: VoteType = 'APPROVE',
  groups: readonly string[] = [world.guards],
): Promise<Record<string, unknown>> {
  const { body } = await world.ada.get(`/v1/workflows/${workflowId}/content`)
  return {
    iss: agent.id,
    org: orgId,
    request: workflowId,
    digest: body.digest,
    policyDigest: body.content.policyDigest,
    stance: stances[type],
    stage: body.stage,
    seats: type === 'APPROVE' ? groups : [],
    iat: Math.floor(world.clock.now().getTime() / 1000),
    nonce: newNonce(),
  }
}

/** Signs a vote as the agent, with claims and header bent as a test wants them. */
export async function signedVote(
  world: WorkflowWorld,
  agent: Machine,
  workflowId: string,
  bent: {
    type?: VoteType
    groups?: readonly string[]
    claims?: Readonly<Record<string, unknown>>
    header?: Readonly<Record<string, unknown>>
    key?: KeyObject | Uint8Array
  } = {},
): Promise<string> {
  const claims = await goodClaims(world, agent, workflowId, bent.type, bent.groups)
  return await sign(bent.key ?? agent.privateKey, { ...claims, ...bent.claims }, { ...voteHeader, ...bent.header })
}

/** Casts a vote with this signature. */
export async function voteWith(
  client: Client,
  workflowId: string,
  signature: unknown,
  type: VoteType = 'APPROVE',
  groups: readonly string[] = [],
) {
  const voteType = { type, ...(type === 'APPROVE' && { votedForGroups: groups }) }
  return await client.post(`${workflows}/${workflowId}/vote`, { voteType, signature })
}
