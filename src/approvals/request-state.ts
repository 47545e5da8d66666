import type { RequestState } from '../kernel/request.ts'
import type { RequestRow } from '../store/requests.ts'

type StoredState = Pick<
  RequestRow,
  | 'status'
  | 'stage'
  | 'vote_seq'
  | 'digest'
  | 'expires_at'
  | 'requester_id'
  | 'requester_person_id'
  | 'beneficiary_id'
  | 'beneficiary_person_id'
  | 'tally'
>

/** The stored request as the kernel sees it. */
export function stateOf(row: StoredState): RequestState {
  return {
    status: row.status,
    stage: row.stage,
    seq: row.vote_seq,
    digest: row.digest,
    expiresAt: row.expires_at.getTime(),
    requester: { principal: row.requester_id, person: row.requester_person_id },
    ...(row.beneficiary_id !== null && {
      beneficiary: { principal: row.beneficiary_id, person: row.beneficiary_person_id },
    }),
    tally: row.tally,
  }
}
