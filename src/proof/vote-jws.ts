import { readFlatObject, type FlatValue } from './flat-json.ts'

/** What a voter signs of a vote (docs/voter-signatures.md). */
export interface VoteClaims {
  readonly iss: string
  readonly org: string
  readonly request: string
  readonly digest: string
  readonly policyDigest: string
  readonly stance: string
  readonly stage: number
  readonly seats: readonly string[]
  /** Seconds since 1970, by the voter's clock. */
  readonly iat: number
  readonly nonce: string
}

/** Room for a thousand seats in base64url. */
const mostCharacters = 65_536

/**
 * Reads a voter's signature: a compact JWS (RFC 7515) in one form only (docs/receipt.md, "The voter's signature"). The server
 * and the verifier read it here, so that what the one has taken the other reads in the same way.
 * @returns what it should have been when it is not of that form; whether it is signed is not looked at
 */
export function readVoteJws(jws: string): { readonly claims: VoteClaims } | { readonly mustBe: string } {
  const parts = jws.split('.', 4)
  const [header, payload, signature] = parts.map(bytesOf)
  if (jws.length > mostCharacters || parts.length !== 3 || !header || !payload || !signature) {
    return { mustBe: 'a compact JWS of at most 64 KiB, its base64url without padding' }
  }
  const problem = headerProblem(readFlatObject(header))
  if (problem !== null) return { mustBe: problem }
  const members = readFlatObject(payload)
  if (members === null || !hasExactly(members, claimTypes)) {
    const claims = Object.entries(claimTypes).map(([name, type]) => `${name} (${typeNames[type]})`)
    return { mustBe: `with the claims ${claims.join(', ')}, each once, and no others` }
  }
  const claims = Object.fromEntries(members) as unknown as VoteClaims
  if (!/^[A-Za-z0-9_-]{16,128}$/.test(claims.nonce)) {
    return { mustBe: 'with a nonce of 16 to 128 characters of base64url' }
  }
  return { claims }
}

type Type = 'text' | 'integer' | 'texts'

const typeNames: Readonly<Record<Type, string>> = {
  text: 'text',
  integer: 'a whole number in plain digits',
  texts: 'a list of texts',
}

const headerTypes = { alg: 'text', typ: 'text' } as const

const claimTypes = {
  iss: 'text',
  org: 'text',
  request: 'text',
  digest: 'text',
  policyDigest: 'text',
  stance: 'text',
  stage: 'integer',
  seats: 'texts',
  iat: 'integer',
  nonce: 'text',
} as const satisfies Record<keyof VoteClaims, Type>

type Members = ReadonlyMap<string, FlatValue>

function headerProblem(header: Members | null): string | null {
  if (header === null || !hasExactly(header, headerTypes)) return 'with the header members alg and typ and no others'
  if (header.get('alg') !== 'RS256') return 'signed with RS256'
  return header.get('typ') === 'quorate-vote+jws' ? null : 'of the type quorate-vote+jws'
}

function hasExactly(members: Members, types: Readonly<Record<string, Type>>): boolean {
  const expected = Object.entries(types)
  return members.size === expected.length && expected.every(([name, type]) => typeOf(members.get(name)) === type)
}

function typeOf(value: FlatValue | undefined): Type | null {
  if (value === undefined) return null
  if (typeof value === 'string') return 'text'
  return typeof value === 'number' ? 'integer' : 'texts'
}

/** Null unless it is base64url (RFC 4648 section 5), the one spelling of its bytes, and not empty. */
function bytesOf(part: string): Buffer | null {
  const bytes = Buffer.from(part, 'base64url')
  return part !== '' && bytes.toString('base64url') === part ? bytes : null
}
