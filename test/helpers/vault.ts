import { expectStatus, type FortanixCalls, type RawAnswer } from './fortanix.ts'

export const approvalRequests = '/sys/v1/approval_requests'
/** What a call is answered that a policy protects. */
export const needsApproval = { status: 403, text: 'This operation requires approval', type: 'text/plain' }

export const user = (who: { readonly id: string }) => ({ user: who.id })
export const quorum = (n: number, members: readonly object[], more: object = {}) => ({
  quorum: { n, members, ...more },
})

/** What may be asked for, as it is sent. */
export interface Question {
  readonly method: string
  readonly operation: string
  readonly body?: object
}

export const signing = (kid: string) => ({
  method: 'POST' as const,
  operation: '/crypto/v1/sign',
  body: { key: { kid }, hash_alg: 'SHA256', data: Buffer.from('what is signed').toString('base64') },
})

export const sign = async (by: FortanixCalls, kid: string): Promise<RawAnswer> =>
  await by.post('/crypto/v1/sign', signing(kid).body)

export const ask = async (by: FortanixCalls, question: Question): Promise<string> =>
  expectStatus(await by.post(approvalRequests, question), 201).request_id

export const approve = async (by: FortanixCalls, id: string, body?: object): Promise<RawAnswer> =>
  await by.post(`${approvalRequests}/${id}/approve`, body)

export const deny = async (by: FortanixCalls, id: string): Promise<RawAnswer> =>
  await by.post(`${approvalRequests}/${id}/deny`)

let count = 0

/** A group, with a policy of its own or without. */
export async function makeGroup(by: FortanixCalls, policy?: object): Promise<string> {
  const body = { name: `group ${++count}`, ...(policy !== undefined && { approval_policy: policy }) }
  return expectStatus(await by.post('/sys/v1/groups', body), 201).group_id
}

/** A key that signs. */
export async function makeKey(by: FortanixCalls, groupId: string, more: object = {}): Promise<string> {
  const body = { name: `key ${++count}`, obj_type: 'EC', elliptic_curve: 'NistP256', group_id: groupId, ...more }
  return expectStatus(await by.post('/crypto/v1/keys', body), 201).kid
}
