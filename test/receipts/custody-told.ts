/** Tales of requests of the Fortanix API: an operation behind nested quorums, whose approvals stand. */
import { organization } from './random-told.ts'
import { answered, securityKeyOf, type SecurityKey } from './security-keys.ts'
import { sha256, type Told, type ToldVote } from './told.ts'

/** As every quorum of that dialect decides. */
export const custodyOptions = {
  veto: 'final',
  requesterMayVote: true,
  distinctPeople: false,
  naturalPersons: false,
  recheckEligibility: false,
  vetoNeedsAssurance: false,
  approvesOnce: true,
}

/** One named principal, who proves all of this. */
export const only = (id: string, ...assurance: readonly string[]) => ({
  kind: 'seats',
  atLeast: 1,
  from: { kind: 'principal', id },
  ...(assurance.length > 0 && { assurance }),
})

export const quorumOf = (atLeast: number, ...of: readonly object[]) => ({ kind: 'threshold', atLeast, of })

export const custodyTime = (seconds: number) =>
  new Date(Date.parse('2026-11-21T12:00:00.000Z') + seconds * 1000).toISOString()

/** An approval by a person for their own seat, unless told otherwise. */
export function approvalBy(
  seq: number,
  principal: string,
  assurance: ToldVote['assurance'],
  bent: Partial<ToldVote> = {},
): ToldVote {
  return {
    seq,
    at: custodyTime(seq),
    principal,
    kind: 'human',
    person: `person-${principal}`,
    stance: 'approve',
    stage: 0,
    seats: [principal],
    assurance,
    from: 'open',
    to: 'open',
    ...bent,
  }
}

export const decides = { to: 'approved', toStage: 1 } as const
export const denies = { stance: 'veto', seats: [], to: 'rejected' } as const

export function custodyTold(
  rule: object,
  events: readonly ToldVote[],
  { id = 'operation-1', path = '/crypto/v1/sign' } = {},
): Told {
  return {
    organization,
    request: {
      id,
      dialect: 'fortanix',
      policy: 'quorum-1',
      requester: 'ada',
      person: 'person-ada',
      createdAt: custodyTime(0),
      expiresAt: '9999-12-31T23:59:59.999Z',
      content: {
        name: `POST ${path}`,
        description: null,
        metadata: {
          method: 'POST',
          operation: path,
          bodySha256: sha256(`body of ${id}`),
          subjects: 'key key-1, group group-1',
        },
      },
    },
    policy: { id: 'quorum-1', stages: [{ binding: true, rule }], options: custodyOptions },
    events,
    names: [
      { id: 'ada', kind: 'user.created', name: 'Ada', salt: 'salt-ada' },
      { id: 'ben', kind: 'user.created', name: 'Ben', salt: 'salt-ben', by: { kind: 'person', id: 'person-ben' } },
      { id: 'app-1', kind: 'app.created', name: 'signer', salt: 'salt-app' },
    ],
  }
}

/** Ada has a key of FIDO2, Ben one of U2F. */
export const adasKey = securityKeyOf('ada')
export const bensKey = securityKeyOf('ben', 'ben', 'u2f')
const keys: Readonly<Record<string, SecurityKey>> = { ada: adasKey, ben: bensKey }
export const ownKeyOf = (id: string): SecurityKey => keys[id] ?? securityKeyOf(id)

/** Two of the three, of whom two prove a security key and one a password, approve. */
export const byTwoKeys: Told = answered(
  custodyTold(
    quorumOf(2, only('ada', 'securityKey'), only('ben', 'securityKey', 'password'), only('cleo', 'password')),
    [approvalBy(1, 'ada', ['securityKey']), approvalBy(2, 'ben', ['password', 'securityKey'], decides)],
  ),
  ownKeyOf,
)
