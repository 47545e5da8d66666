import { Type } from 'typebox'
import { hashNames } from '../../../custody/crypto/hashes.ts'
import { curves } from '../../../custody/crypto/key-material.ts'
import { keyOperations } from '../../../custody/keys/key-operations.ts'
import { noBody, type CallDescriptions } from '../../shared/api-description.ts'
import { anyOf, bytes, flag, id, maybe, name, principal, namedSlice, text, time } from './shapes.ts'

/** Keys and what they are used for (contract fortanix §6, §7). */

const kind = Type.Enum(['AES', 'HMAC', 'RSA', 'EC'])
const hash = Type.Enum([...hashNames])
const operations = Type.Array(Type.Enum([...keyOperations]))
const size = Type.Integer({ description: 'Bits.' })
const curve = Type.Enum([...curves])

const keyMembers = {
  acct_id: id,
  kid: id,
  group_id: id,
  name,
  description: maybe(text),
  obj_type: kind,
  key_size: maybe(size),
  elliptic_curve: maybe(curve),
  key_ops: operations,
  enabled: flag,
  state: Type.Enum(['Active', 'Deactivated', 'Compromised', 'Destroyed']),
  origin: Type.Enum(['FortanixHSM', 'External']),
  public_only: flag,
  pub_key: maybe(Type.String({ description: 'Base64 of the DER SubjectPublicKeyInfo.' })),
  created_at: time,
  lastused_at: time,
  creator: principal,
}
const key = Type.Object(keyMembers)

const newKey = {
  name,
  obj_type: kind,
  description: maybe(text),
  group_id: maybe(Type.String({ format: 'uuid', description: 'An app may leave out its default group.' })),
  key_ops: maybe(operations),
  enabled: maybe(flag),
}

const keyName = anyOf({ kid: id, name: Type.String() })
const mgf = Type.Object({ mgf1: Type.Object({ hash }) })
const signatureMode = anyOf({ PKCS1_V15: Type.Object({}), PSS: Type.Object({ mgf }) })
const cipherMode = Type.Union([Type.Enum(['GCM', 'CBC']), Type.Object({ OAEP: Type.Object({ mgf }) })])
const toSign = {
  key: keyName,
  hash_alg: hash,
  hash: maybe(bytes),
  data: maybe(bytes),
  mode: maybe(signatureMode),
}

export const keyCalls: CallDescriptions = {
  'GET /crypto/v1/keys': {
    summary: 'Keys that the caller sees',
    query: {
      ...namedSlice,
      name: maybe(Type.String()),
      obj_type: maybe(kind),
      show_destroyed: maybe(Type.Enum(['true', 'false'])),
    },
    answers: { 200: Type.Array(key) },
  },
  'POST /crypto/v1/keys': {
    summary: 'Make a key',
    body: Type.Object({
      ...newKey,
      key_size: maybe(size),
      elliptic_curve: maybe(curve),
      pub_exponent: maybe(Type.Literal(65_537)),
    }),
    answers: { 201: key },
  },
  'PUT /crypto/v1/keys': {
    summary: 'Bring a key that was made elsewhere',
    body: Type.Object({ ...newKey, value: bytes }),
    answers: { 201: key },
  },
  'POST /crypto/v1/keys/info': { summary: 'One key, by id or name', body: keyName, answers: { 200: key } },
  'GET /crypto/v1/keys/:id': { summary: 'One key', answers: { 200: key } },
  'PATCH /crypto/v1/keys/:id': {
    summary: 'Change a key, or move it to another group',
    description: 'What is left out stays. May need approval.',
    body: anyOf({ name, description: text, key_ops: operations, enabled: flag, group_id: id }),
    bodyIsOptional: true,
    answers: { 200: key },
  },
  'DELETE /crypto/v1/keys/:id': {
    summary: 'Delete a key',
    description: 'May need approval.',
    answers: { 204: noBody },
  },
  'DELETE /crypto/v1/keys/:id/private': {
    summary: 'Destroy the private half of a key',
    description: 'May need approval.',
    answers: { 204: noBody },
  },
  'POST /crypto/v1/keys/:id/destroy': {
    summary: 'Destroy what a key is made of, and keep its record',
    description: 'May need approval.',
    answers: { 204: noBody },
  },
  'POST /crypto/v1/keys/:id/revoke': {
    summary: 'Revoke a key: it makes nothing new from then on',
    description: 'May need approval.',
    body: anyOf({ code: Type.String({ default: 'Unspecified' }) }),
    bodyIsOptional: true,
    answers: { 204: noBody },
  },
}

export const cryptoCalls: CallDescriptions = {
  'POST /crypto/v1/sign': {
    summary: 'Sign data, or its hash',
    description: 'May need approval.',
    body: Type.Object(toSign),
    answers: { 200: Type.Object({ kid: id, signature: bytes }) },
  },
  'POST /crypto/v1/verify': {
    summary: 'Check a signature',
    body: Type.Object({ ...toSign, signature: bytes }),
    answers: { 200: Type.Object({ kid: id, result: flag }) },
  },
  'POST /crypto/v1/encrypt': {
    summary: 'Encrypt',
    description: 'May need approval.',
    body: Type.Object({
      key: keyName,
      alg: Type.Enum(['AES', 'RSA']),
      plain: bytes,
      mode: maybe(cipherMode),
      iv: maybe(bytes),
      ad: maybe(bytes),
      tag_len: maybe(Type.Integer({ description: 'Bits.' })),
    }),
    answers: { 200: Type.Object({ kid: id, cipher: bytes, iv: maybe(bytes), tag: maybe(bytes) }) },
  },
  'POST /crypto/v1/decrypt': {
    summary: 'Decrypt',
    description: 'May need approval.',
    body: Type.Object({
      key: keyName,
      alg: maybe(Type.Enum(['AES', 'RSA'])),
      cipher: bytes,
      mode: maybe(cipherMode),
      iv: maybe(bytes),
      ad: maybe(bytes),
      tag: maybe(bytes),
    }),
    answers: { 200: Type.Object({ kid: id, plain: bytes }) },
  },
  'POST /crypto/v1/mac': {
    summary: 'Make a message authentication code',
    description: 'May need approval.',
    body: Type.Object({ key: keyName, alg: maybe(hash), data: bytes }),
    answers: { 200: Type.Object({ kid: id, digest: bytes, mac: bytes }) },
  },
  'POST /crypto/v1/keys/export': {
    summary: 'Take a key out of the server',
    description: 'May need approval.',
    body: keyName,
    answers: { 200: Type.Object({ ...keyMembers, value: bytes }) },
  },
}
