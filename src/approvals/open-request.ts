import { appendLeaf } from '../audit/append.ts'
import { contentDigest } from '../audit/digest.ts'
import type { LeafActor } from '../audit/leaf.ts'
import type { Ctx } from '../context.ts'
import { columnsOf, termsFacts } from '../identity/grants/terms.ts'
import type { GrantLimits, GrantTerms } from '../kernel/grant-terms.ts'
import { initialState, type RequestState } from '../kernel/request.ts'
import type { Tx } from '../store/open.ts'
import type { PolicyRow } from '../store/policies.ts'
import { insertRequestGrant } from '../store/request-grants.ts'
import { insertRequest } from '../store/requests.ts'
import { contentOf } from './request-content.ts'

/** What an approval is to do to a role, in the transaction in which it falls. */
export interface RequestedGrant {
  readonly operation: 'grant' | 'remove'
  readonly principalId: string
  readonly groupId: string
  /** Checked by whoever opens the request; null for a removal. */
  readonly terms: GrantTerms | null
  /** What terms that a decision puts in their place must keep to. */
  readonly limits: GrantLimits
  /** Whether those who approved may take the role back. */
  readonly isRevocable: boolean
}

export interface NewRequest {
  /** Locked for share: the version must stay the active one. */
  readonly policy: PolicyRow
  readonly actor: LeafActor
  readonly requester: RequestState['requester']
  /** Whom it is asked for, where that is somebody else. */
  readonly beneficiary?: RequestState['requester']
  readonly name: string
  readonly description: string | null
  readonly metadata: Readonly<Record<string, unknown>>
  readonly expiresAt: Date
  readonly grant?: RequestedGrant
}

/** Where a dialect knows no deadline: PostgreSQL, JSON and RFC 3339 can all write it. */
export const noDeadline = new Date('9999-12-31T23:59:59.999Z')

/**
 * Opens a request under a policy, for every dialect: whether who asks may ask is checked before. Its content is fixed by a
 * digest, which every vote names; what is to be granted is part of it.
 * @returns the request's id
 * @throws AppError WORKFLOW_ALREADY_EXISTS
 */
export async function openRequest(tx: Tx, ctx: Pick<Ctx, 'clock' | 'newId'>, request: NewRequest): Promise<string> {
  const { policy, requester, expiresAt, grant } = request
  const beneficiary = beneficiaryOf(request)
  const at = ctx.clock.now()
  const id = ctx.newId()
  const described = {
    dialect: policy.dialect,
    policy_id: policy.id,
    name: request.name,
    description: request.description,
    requester_id: requester.principal,
  }
  const metadata = grant === undefined ? request.metadata : { ...request.metadata, grant: grantContent(grant) }
  const content = contentOf({ ...described, metadata }, policy)
  const digest = contentDigest(content)
  const parties = { requester, ...(beneficiary !== undefined && { beneficiary }) }
  const state = initialState(policy, { digest, expiresAt: expiresAt.getTime(), ...parties })
  await insertRequest(tx, {
    org_id: policy.org_id,
    id,
    ...described,
    metadata: JSON.stringify(metadata),
    requester_person_id: requester.person,
    beneficiary_id: beneficiary?.principal ?? null,
    beneficiary_person_id: beneficiary?.person ?? null,
    digest,
    status: state.status,
    tally: JSON.stringify(state.tally),
    expires_at: expiresAt,
    created_at: at,
    updated_at: at,
  })
  if (grant !== undefined) await insertRequestGrant(tx, rowOf(policy.org_id, id, grant))
  await appendLeaf(tx, {
    orgId: policy.org_id,
    kind: 'request.created',
    subjectId: id,
    actor: request.actor,
    at,
    facts: {
      dialect: policy.dialect,
      digest,
      policy: policy.id,
      policyDigest: content.policyDigest,
      requester: requester.principal,
      ...(requester.person !== null && { person: requester.person }),
      ...(beneficiary !== undefined && { beneficiary: beneficiary.principal }),
      ...(beneficiary !== undefined && beneficiary.person !== null && { beneficiaryPerson: beneficiary.person }),
      ...(grant !== undefined && { grant: grantContent(grant) }),
      expiresAt: expiresAt.toISOString(),
    },
    privateText: { name: request.name },
  })
  return id
}

/** Nobody is left out twice. */
function beneficiaryOf({ requester, beneficiary }: NewRequest): RequestState['requester'] | undefined {
  return beneficiary?.principal === requester.principal ? undefined : beneficiary
}

/** What is asked for, as the content of the request has it, which votes are cast on, and as its leaf tells it. */
function grantContent({ operation, principalId, groupId, terms, limits, isRevocable }: RequestedGrant) {
  return {
    operation,
    principal: principalId,
    group: groupId,
    ...(terms !== null && termsFacts(terms)),
    limits,
    isRevocable,
  }
}

const noTerms = { kind: null, starts_at: null, ends_at: null, floating_hours: null }

function rowOf(orgId: string, requestId: string, grant: RequestedGrant) {
  const { operation, principalId, groupId, terms, limits, isRevocable } = grant
  return {
    org_id: orgId,
    request_id: requestId,
    operation,
    principal_id: principalId,
    group_id: groupId,
    ...(terms === null ? noTerms : columnsOf(terms)),
    asked: JSON.stringify(terms ?? {}),
    limits: JSON.stringify(limits),
    is_revocable: isRevocable,
    grant_id: null,
    revoked_at: null,
    revoked_by: null,
  }
}
