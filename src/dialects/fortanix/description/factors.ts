import { Type } from 'typebox'
import { bytes, flag, maybe } from './shapes.ts'

/** What security keys are asked and answer (contract fortanix §5). */

const descriptor = Type.Object({
  type: Type.Literal('public-key'),
  id: bytes,
  transports: maybe(Type.Array(Type.String())),
})

export const requestOptions = Type.Object(
  {
    challenge: bytes,
    timeout: Type.Integer({ description: 'Milliseconds.' }),
    rpId: Type.String(),
    allowCredentials: Type.Array(descriptor),
    userVerification: Type.Literal('preferred'),
    extensions: maybe(Type.Object({ appid: Type.String() })),
  },
  { description: 'PublicKeyCredentialRequestOptions of WebAuthn.' },
)

export const u2fRequest = Type.Object({
  u2f_challenge: bytes,
  u2f_keys: Type.Array(Type.Object({ keyHandle: bytes, version: Type.Literal('U2F_V2') })),
})

const named = { id: Type.String(), name: Type.String() }

export const creationOptions = Type.Object(
  {
    rp: Type.Object({ ...named, entity: Type.Object({ id: Type.String() }) }),
    user: Type.Object({
      ...named,
      displayName: Type.String(),
      entity: Type.Object({ id: Type.String(), displayName: Type.String() }),
    }),
    challenge: bytes,
    pubKeyCredParams: Type.Array(Type.Object({ type: Type.Literal('public-key'), alg: Type.Literal(-7) })),
    timeout: Type.Integer({ description: 'Milliseconds.' }),
    excludeCredentials: Type.Array(descriptor),
    authenticatorSelection: Type.Object({ userVerification: Type.Literal('preferred') }),
    attestation: Type.Enum(['none', 'direct']),
  },
  { description: 'PublicKeyCredentialCreationOptions of WebAuthn; `entity` repeats what stands beside it.' },
)

export const assertion = Type.Object({
  id: bytes,
  type: Type.Literal('public-key'),
  response: Type.Object({
    clientDataJSON: bytes,
    authenticatorData: bytes,
    signature: bytes,
    userHandle: maybe(bytes),
  }),
  get_client_extension_results: maybe(Type.Object({ appid: maybe(flag), appidExclude: maybe(flag) })),
})

export const u2fAnswer = Type.Object({ keyHandle: bytes, signatureData: bytes, clientData: bytes })

export const attestation = Type.Object({
  id: bytes,
  type: Type.Literal('public-key'),
  response: Type.Object({
    clientDataJSON: bytes,
    attestationObject: bytes,
    getTransports: maybe(Type.Array(Type.String())),
  }),
})
