import { createPrivateKey, createPublicKey, createSign, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { pemOf } from '../helpers/signing.ts'
import { digestOf, isVote, policyDigestOf, type Told, type ToldVote } from './told.ts'

/** An agent that can sign. */
export interface Voter {
  readonly id: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

export function newVoter(id: string): Voter {
  return { id, ...generateKeyPairSync('rsa', { modulusLength: 2048 }) }
}

export function voterOfPem(id: string, pem: string): Voter {
  const privateKey = createPrivateKey(pem)
  return { id, privateKey, publicKey: createPublicKey(privateKey) }
}

/** What a vote's signature says, with members of its own where a test bends it. */
export function claimsOf(told: Told, vote: ToldVote, bent: object = {}): object {
  return {
    iss: vote.principal,
    org: told.organization,
    request: told.request.id,
    digest: digestOf(told),
    policyDigest: policyDigestOf(told.policy),
    stance: vote.stance,
    stage: vote.stage,
    seats: vote.seats,
    iat: Math.floor(Date.parse(vote.at) / 1000),
    nonce: `nonce-of-vote-${String(vote.seq).padStart(6, '0')}`,
    ...bent,
  }
}

export function jwsOf(key: KeyObject, claims: object, header: object = voteHeader): string {
  const input = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  // RSASSA-PKCS1-v1_5 gives the same signature every time.
  return `${input}.${createSign('RSA-SHA256').update(input).sign(key, 'base64url')}`
}

export const voteHeader = { alg: 'RS256', typ: 'quorate-vote+jws' }

/** The same with every vote signed that says it is, by whoever of `voters` cast it. */
export function signed(told: Told, voters: readonly Voter[]): Told {
  return {
    ...told,
    events: told.events.map((event) => {
      if (!isVote(event) || !event.assurance.includes('signature')) return event
      const voter = voters.find(({ id }) => id === event.principal)
      if (voter === undefined) throw new Error(`no key of ${event.principal}`)
      return { ...event, signature: jwsOf(voter.privateKey, claimsOf(told, event)), publicKey: pemOf(voter.publicKey) }
    }),
  }
}
