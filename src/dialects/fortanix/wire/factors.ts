import { AppError, invalidMember } from '../../../errors.ts'
import type { Assertion } from '../../../identity/webauthn/assertion.ts'
import type { Attestation } from '../../../identity/webauthn/attestation.ts'
import type { CreationOptions, U2fRequest } from '../../../identity/webauthn/options.ts'
import type { U2fAnswer } from '../../../identity/webauthn/u2f.ts'
import type { VoteFactors } from '../../../identity/webauthn/vote-factors.ts'
import { parseBytes } from './bytes.ts'

type Values = Readonly<Record<string, unknown>>

/** Of the body of an approval, which may be missing (contract fortanix §3.4). @throws AppError INVALID_MEMBER */
export function parseVoteFactors(body: unknown): VoteFactors {
  const { password, u2f, fido2_auth_request: fido2 } = objectOf(body ?? {}, '')
  return {
    ...(isSent(password) && { password: textOf(password, 'password') }),
    ...(isSent(u2f) && { u2f: parseU2f(u2f, 'u2f') }),
    ...(isSent(fido2) && { fido2: parseAssertion(fido2, 'fido2_auth_request') }),
  }
}

/** A FIDO2 assertion (contract fortanix §5.3). @param field where it stands in the body @throws AppError INVALID_MEMBER */
export function parseAssertion(value: unknown, field: string): Assertion {
  const { id, type, response, get_client_extension_results: extensions } = objectOf(value, field)
  const at = pathIn(field, 'response')
  const { clientDataJSON, authenticatorData, signature, userHandle } = objectOf(response, at)
  const { appid } = isSent(extensions) ? objectOf(extensions, pathIn(field, 'get_client_extension_results')) : {}
  const handle = isSent(userHandle) ? bytesOf(userHandle, pathIn(at, 'userHandle')) : null
  return {
    credentialId: bytesOf(id, pathIn(field, 'id')),
    type: textOf(type, pathIn(field, 'type')),
    clientDataJSON: bytesOf(clientDataJSON, pathIn(at, 'clientDataJSON')),
    authenticatorData: bytesOf(authenticatorData, pathIn(at, 'authenticatorData')),
    signature: bytesOf(signature, pathIn(at, 'signature')),
    userHandle: handle?.length === 0 ? null : handle,
    usesAppId: appid === true,
  }
}

/** What a new security key answered (contract fortanix §5.5). @throws AppError INVALID_MEMBER */
export function parseAttestation(value: unknown, field: string): Attestation {
  const { id, type, response } = objectOf(value, field)
  const at = pathIn(field, 'response')
  const { clientDataJSON, attestationObject, getTransports } = objectOf(response, at)
  const transports = isSent(getTransports) ? getTransports : []
  if (!Array.isArray(transports)) throw wrong(pathIn(at, 'getTransports'), 'must be an array')
  return {
    credentialId: bytesOf(id, pathIn(field, 'id')),
    type: textOf(type, pathIn(field, 'type')),
    clientDataJSON: bytesOf(clientDataJSON, pathIn(at, 'clientDataJSON')),
    attestationObject: bytesOf(attestationObject, pathIn(at, 'attestationObject')),
    transports: transports.filter((transport) => typeof transport === 'string'),
  }
}

/** The challenge of contract fortanix §5.2. */
export function renderU2fRequest({ challenge, keyHandles }: U2fRequest): object {
  return { u2f_challenge: challenge, u2f_keys: keyHandles.map((keyHandle) => ({ keyHandle, version: 'U2F_V2' })) }
}

/** In WebAuthn's form, and with the `entity` that the vendor's description has (contract fortanix §5.5). */
export function renderCreationOptions({ rp, user, ...options }: CreationOptions): object {
  const { id, displayName } = user
  return { rp: { ...rp, entity: { id: rp.id } }, user: { ...user, entity: { id, displayName } }, ...options }
}

function parseU2f(value: unknown, field: string): U2fAnswer {
  const { keyHandle, signatureData, clientData } = objectOf(value, field)
  return {
    keyHandle: bytesOf(keyHandle, pathIn(field, 'keyHandle')),
    signatureData: bytesOf(signatureData, pathIn(field, 'signatureData')),
    clientData: bytesOf(clientData, pathIn(field, 'clientData')),
  }
}

const isSent = (value: unknown) => value !== undefined && value !== null
const pathIn = (field: string, name: string) => (field === '' ? name : `${field}.${name}`)

function wrong(field: string, problem: string): AppError {
  return field === ''
    ? new AppError('INVALID_MEMBER', `The body ${problem}.`, { field })
    : invalidMember(field, problem)
}

function objectOf(value: unknown, field: string): Values {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(field, 'must be an object')
  return { ...value }
}

function textOf(value: unknown, field: string): string {
  if (typeof value !== 'string') throw wrong(field, 'must be text')
  return value
}

function bytesOf(value: unknown, field: string): Buffer {
  const bytes = typeof value === 'string' ? parseBytes(value) : null
  if (bytes === null) throw wrong(field, 'must be base64')
  return bytes
}
