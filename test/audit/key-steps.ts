import { encryptAes } from '../../src/custody/crypto/aes.ts'
import type { Answer, Client } from '../helpers/world.ts'
import { any, id, ids, text, type Step } from './steps.ts'

const url = '/crypto/v1/keys'
const data = Buffer.from('zebra data').toString('base64')
const iv = Buffer.alloc(12, 1).toString('base64')
const pairOperations = ['SIGN', 'VERIFY', 'EXPORT']

/** A whole block of padding, under the key that is taken in. */
const emptyCipher = encryptAes(Buffer.alloc(32, 7), {
  mode: 'CBC',
  plain: Buffer.alloc(0),
  iv: Buffer.alloc(16),
  ad: null,
  tagBits: null,
}).cipher.toString('base64')

/** Keys of the group `keys`, and what is done with them by somebody who manages it. */
export function keySteps(by: { readonly client: () => Client; readonly actor: () => object }): readonly Step[] {
  const post = (path: string, body?: unknown): Promise<Answer> => by.client().post(path, body)
  const keyOf = (name: string) => ({ key: { kid: id(name) } })
  const keep = async (name: string, call: Promise<Answer>): Promise<Answer> => {
    const answer = await call
    if (answer.status === 201) ids[name] = answer.body.kid
    return answer
  }
  const facts = (kind: string, of: object) => ({
    group: id('keys'),
    keyKind: kind,
    size: null,
    curve: null,
    enabled: true,
    state: 'Active',
    hasSecret: true,
    secretHmac: any,
    publicKeySha256: null,
    ...of,
  })
  const pairFacts = (of: object = {}) =>
    facts('EC', { curve: 'NistP256', operations: pairOperations, publicKeySha256: any, ...of })
  const taken = (name: string, kind: string, operations: readonly string[]): Step => ({
    name: `PUT /crypto/v1/keys: ${kind}`,
    does: () => {
      const value = Buffer.alloc(32, 7).toString('base64')
      const body = { name: text(name), obj_type: kind, key_ops: operations, group_id: id('keys'), value }
      return keep(name, by.client().put(url, body))
    },
    leaves: () => [['key.created', facts(kind, { size: 256, operations, origin: 'External' })]],
    changes: ['fortanix_keys'],
    by: by.actor,
  })
  const used = (
    path: string,
    operation: string,
    body: () => object,
    kind: 'key.used' | 'key.exported' = 'key.used',
  ): Step => ({
    name: `POST ${path}`,
    does: () => post(path, body()),
    leaves: () => [[kind, { operation, group: id('keys') }]],
    by: by.actor,
  })
  const changed = (name: string, does: () => Promise<Answer>, of: object): Step => ({
    name,
    does,
    leaves: () => [['key.changed', pairFacts(of)]],
    changes: ['fortanix_keys'],
    by: by.actor,
  })
  const deleted = (name: string): Step => ({
    name: `DELETE /crypto/v1/keys/:id: ${name}`,
    does: () => by.client().delete(`${url}/${id(name)}`),
    leaves: () => [['key.deleted', { group: id('keys') }]],
    changes: ['fortanix_keys'],
    by: by.actor,
  })
  const made = {
    name: text('pair'),
    description: text('d'),
    obj_type: 'EC',
    elliptic_curve: 'NistP256',
    key_ops: pairOperations,
  }
  return [
    {
      name: 'POST /crypto/v1/keys',
      does: () => keep('pair', post(url, { ...made, group_id: id('keys') })),
      leaves: () => [['key.created', pairFacts({ origin: 'FortanixHSM' })]],
      changes: ['fortanix_keys'],
      by: by.actor,
    },
    taken('cipher', 'AES', ['ENCRYPT', 'DECRYPT']),
    taken('code', 'HMAC', ['MACGENERATE']),
    { name: 'POST /crypto/v1/keys/info', does: () => post(`${url}/info`, { kid: id('pair') }) },
    used('/crypto/v1/sign', 'SIGN', () => ({ ...keyOf('pair'), hash_alg: 'SHA256', data })),
    {
      name: 'POST /crypto/v1/verify',
      does: () => post('/crypto/v1/verify', { ...keyOf('pair'), hash_alg: 'SHA256', data, signature: data }),
    },
    used('/crypto/v1/encrypt', 'ENCRYPT', () => ({ ...keyOf('cipher'), alg: 'AES', mode: 'GCM', iv, plain: '' })),
    used('/crypto/v1/decrypt', 'DECRYPT', () => ({
      ...keyOf('cipher'),
      mode: 'CBC',
      iv: Buffer.alloc(16).toString('base64'),
      cipher: emptyCipher,
    })),
    used('/crypto/v1/mac', 'MACGENERATE', () => ({ ...keyOf('code'), data })),
    used(`${url}/export`, 'EXPORT', () => ({ kid: id('pair') }), 'key.exported'),
    changed(
      'PATCH /crypto/v1/keys/:id',
      () => by.client().patch(`${url}/${id('pair')}`, { name: text('pair 2'), description: text('e'), enabled: false }),
      { enabled: false },
    ),
    changed('POST /crypto/v1/keys/:id/revoke', () => post(`${url}/${id('pair')}/revoke`, { code: 'KeyCompromise' }), {
      enabled: false,
      state: 'Compromised',
    }),
    changed('DELETE /crypto/v1/keys/:id/private', () => by.client().delete(`${url}/${id('pair')}/private`), {
      enabled: false,
      state: 'Compromised',
      hasSecret: false,
      secretHmac: null,
    }),
    changed('POST /crypto/v1/keys/:id/destroy', () => post(`${url}/${id('pair')}/destroy`), {
      enabled: false,
      state: 'Destroyed',
      hasSecret: false,
      secretHmac: null,
      publicKeySha256: null,
    }),
    ...['pair', 'cipher', 'code'].map(deleted),
  ]
}
