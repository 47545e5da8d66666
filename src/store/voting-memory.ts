import { LRUCache } from 'lru-cache'
import { noOwnVote, type KnownVoter, type OwnVotePart, type VotingFactsRow } from './voting.ts'

type Row = VotingFactsRow & { readonly id: string }

/**
 * What this process last saw of voters, requests and their votes, so that most votes need not be read for before they are
 * written (ADR 2). None of it is known to be true: only a write that proves it may rest on it, and no refusal ever does.
 */
export interface VotingMemory {
  /**
   * Undefined when the voter or the request was not seen, or the clock has changed the voter since. A vote of theirs that was
   * not seen counts as none.
   */
  recall(orgId: string, requestId: string, principalId: string, now: Date): Row | undefined
  /** The voter as they were last seen; undefined when they were not, or the clock has changed them since. */
  recallVoter(orgId: string, principalId: string, now: Date): KnownVoter | undefined
  /** Keeps what was read, or what a vote has just made of it. */
  learn(orgId: string, principalId: string, row: Row): void
  /** Drops what proved wrong or is about to be. */
  forget(orgId: string, requestId: string, principalId: string): void
}

/** Entries, and bytes at the most: a voter may have thousands of groups and a rule hundreds of leaves. */
const limits = { max: 10_000, maxSize: 16_000_000, sizeCalculation: sizeOf }

export function createVotingMemory(): VotingMemory {
  // Each keeps the row in which its part was last seen.
  const voters = new LRUCache<string, Row>(limits)
  const requests = new LRUCache<string, Row>(limits)
  const votes = new LRUCache<string, Row>(limits)
  /** Dropped once a membership of theirs has begun or ended: no version tells of that. */
  const knownVoter = (orgId: string, principalId: string, now: Date): Row | undefined => {
    const voter = voters.get(orgId + principalId)
    if (voter === undefined || voter.voter_until === null || now < voter.voter_until) return voter
    voters.delete(orgId + principalId)
    return undefined
  }
  return {
    recall(orgId, requestId, principalId, now) {
      const voter = knownVoter(orgId, principalId, now)
      const request = requests.get(orgId + requestId)
      if (voter === undefined || request === undefined) return undefined
      return { ...request, ...voterPart(voter), ...ownPart(votes.get(requestId + principalId), request.stage) }
    },
    recallVoter(orgId, principalId, now) {
      const voter = knownVoter(orgId, principalId, now)
      return voter === undefined ? undefined : voterPart(voter)
    },
    learn(orgId, principalId, row) {
      const known = voters.peek(orgId + principalId)
      const isKnown =
        known?.voter_version === row.voter_version && known.voter_until?.getTime() === row.voter_until?.getTime()
      if (!isKnown) voters.set(orgId + principalId, row)
      if (row.own_seq === null) votes.delete(row.id + principalId)
      else votes.set(row.id + principalId, row)
      // Answers may arrive in another order than the commits they tell of.
      const isNews = row.vote_seq >= (requests.peek(orgId + row.id)?.vote_seq ?? 0)
      if (isNews) requests.set(orgId + row.id, row)
    },
    forget(orgId, requestId, principalId) {
      voters.delete(orgId + principalId)
      votes.delete(requestId + principalId)
      requests.delete(orgId + requestId)
    },
  }
}

function voterPart(row: Row): KnownVoter {
  const { voter_kind, voter_person_id, voter_disabled, voter_ended_sessions } = row
  const { voter_version, voter_bindings, voter_groups, voter_until } = row
  return {
    voter_kind,
    voter_person_id,
    voter_disabled,
    voter_ended_sessions,
    voter_version,
    voter_bindings,
    voter_groups,
    voter_until,
  }
}

function ownPart(row: Row | undefined, stage: number): OwnVotePart {
  if (row === undefined || row.stage !== stage) return noOwnVote
  const { own_seq, own_stance, own_seats, own_assurance, own_digest } = row
  return { own_seq, own_stance, own_seats, own_assurance, own_digest }
}

function sizeOf({ voter_bindings, voter_groups, voter_ended_sessions, tally, own_seats }: Row): number {
  return (
    600 +
    voter_bindings.length +
    40 * (voter_groups.length + voter_ended_sessions.length) +
    8 * tally.approvals.length +
    40 * (own_seats?.length ?? 0)
  )
}
