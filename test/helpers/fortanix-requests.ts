import {
  expectStatus,
  startFortanix,
  type FortanixCalls,
  type FortanixUser,
  type FortanixWorld,
  type RawAnswer,
} from './fortanix.ts'
import type { WorldOptions } from './world.ts'

export const requests = '/sys/v1/approval_requests'
export const sentence = 'This operation requires approval'

type Poster = Pick<FortanixCalls, 'post'>
type Shown = RawAnswer['body']

/** An account with people in it, and what is done there so that things need approval. */
export interface Vault<Name extends string> extends AsyncDisposable {
  readonly scene: FortanixWorld
  readonly account: string
  /** The first administers the account; the others are plain members, in no group. */
  readonly people: Readonly<Record<Name, FortanixUser>>
  group(policy?: object): Promise<string>
  /** A key of a new group with this policy, or of this group. */
  key(of: object | string, kind?: KeyKind): Promise<{ readonly kid: string; readonly name: string; group: string }>
  name(): string
  /** A request of the administrator's for a signature, by a key of a new group with this policy. */
  asked(policy: object): Promise<{ readonly id: string; readonly kid: string; readonly group: string }>
  /** How often a key was used. */
  usesOf(kid: string): Promise<number>
  votesOn(id: string): Promise<number>
  /** Lets time pass, after which everybody has a new session, in `people` too. */
  wait(milliseconds: number): Promise<void>
}

export type KeyKind = 'EC' | 'AES' | 'HMAC' | 'RSA'
const kinds: Readonly<Record<KeyKind, object>> = {
  EC: { obj_type: 'EC', elliptic_curve: 'NistP256' },
  AES: { obj_type: 'AES', key_size: 256 },
  HMAC: { obj_type: 'HMAC', key_size: 256 },
  RSA: { obj_type: 'RSA', key_size: 2048 },
}
const operations = ['SIGN', 'VERIFY', 'ENCRYPT', 'DECRYPT', 'MACGENERATE', 'EXPORT', 'APPMANAGEABLE']

export async function startVault<Name extends string>(
  names: readonly [Name, ...Name[]],
  options: WorldOptions = {},
): Promise<Vault<Name>> {
  const scene = await startFortanix(options)
  const people = {} as Record<Name, FortanixUser>
  for (const name of names) people[name] = await scene.signUp(name)
  const [first, ...others] = names
  const account = await scene.account(people[first], 'Vault')
  for (const other of others) await scene.join(people[first], people[other], account)
  let count = 0
  const name = () => `name ${++count}`
  const group = async (policy?: object): Promise<string> => {
    const body = { name: name(), ...(policy !== undefined && { approval_policy: policy }) }
    return expectStatus(await people[first].post('/sys/v1/groups', body), 201).group_id
  }
  const key: Vault<Name>['key'] = async (of, kind = 'EC') => {
    const id = typeof of === 'string' ? of : await group(of)
    const body = { name: name(), group_id: id, key_ops: operations, ...kinds[kind] }
    const made = expectStatus(await people[first].post('/crypto/v1/keys', body), 201)
    return { kid: made.kid, name: made.name, group: id }
  }
  const { db } = scene.world.ctx
  return {
    scene,
    account,
    people,
    group,
    key,
    name,
    async asked(policy) {
      const { kid, group: of } = await key(policy)
      return { id: await ask(people[first], signing(kid)), kid, group: of }
    },
    async usesOf(kid) {
      const row = await db.selectFrom('fortanix_keys').select('used').where('id', '=', kid).executeTakeFirstOrThrow()
      return Number(row.used)
    },
    votesOn: async (id) => (await db.selectFrom('votes').select('seq').where('request_id', '=', id).execute()).length,
    async wait(milliseconds) {
      scene.world.clock.advance(milliseconds)
      for (const one of names) {
        const again = await scene.signIn(people[one].email)
        expectStatus(await again.post('/sys/v1/session/select_account', { acct_id: account }), 200)
        people[one] = again
      }
    },
    [Symbol.asyncDispose]: () => scene[Symbol.asyncDispose](),
  }
}

export const user = ({ id }: { readonly id: string }) => ({ user: id })
export const quorum = (n: number, members: readonly object[], more: object = {}) => ({
  quorum: { n, members, ...more },
})

export const signing = (kid: string) => ({
  operation: '/crypto/v1/sign',
  body: { key: { kid }, hash_alg: 'SHA256', data: 'AAAA' },
})

/** @returns the request's id */
export async function ask(by: Poster, question: object): Promise<string> {
  return expectStatus(await by.post(requests, question), 201).request_id
}

export async function show(by: Pick<FortanixCalls, 'get'>, id: string): Promise<Shown> {
  return expectStatus(await by.get(`${requests}/${id}`), 200)
}

export async function approve(by: Poster, id: string, body?: unknown): Promise<RawAnswer> {
  return await by.post(`${requests}/${id}/approve`, body)
}

export async function deny(by: Poster, id: string, body?: unknown): Promise<RawAnswer> {
  return await by.post(`${requests}/${id}/deny`, body)
}

export async function result(by: Poster, id: string): Promise<RawAnswer> {
  return await by.post(`${requests}/${id}/result`)
}

export const refused = (status: number, text?: string) => ({
  status,
  type: 'text/plain',
  ...(text !== undefined && { text }),
})

/** Milliseconds since 1970 of a time as the wire has it. */
export const timeOf = (text: string): number =>
  Date.parse(text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))

export const idsOf = ({ body }: RawAnswer): string[] => body.map(({ request_id: id }: { request_id: string }) => id)
