import { createHash, createPublicKey, verify } from 'node:crypto'
import { expect, it } from 'vitest'
import { Authenticator } from '../../helpers/authenticator.ts'
import { startFactorWorld } from '../../helpers/factors.ts'

type Evidence = Readonly<Record<string, string>>

const bytesOf = (text = '') => Buffer.from(text, 'base64url')
const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest()

/** The public key in a COSE_Key as security keys write it: its coordinates stand where they always do. */
function keyOf(cose: Buffer) {
  const x = cose.subarray(10, 42).toString('base64url')
  const y = cose.subarray(45, 77).toString('base64url')
  return createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' })
}

/** What docs/security-keys.md says under "Checking it", 4 and 5, with nothing of ours. */
function isSigned(evidence: Evidence): boolean {
  const key = keyOf(bytesOf(evidence['publicKey']))
  if (evidence['kind'] === 'fido2') {
    const data = bytesOf(evidence['authenticatorData'])
    const isFor = data.subarray(0, 32).equals(sha256(evidence['rpId'] ?? '')) && (data.readUInt8(32) & 1) === 1
    const signed = Buffer.concat([data, sha256(bytesOf(evidence['clientDataJSON']))])
    return isFor && verify('sha256', signed, key, bytesOf(evidence['signature']))
  }
  const data = bytesOf(evidence['signatureData'])
  const start = data.subarray(0, 5)
  const signed = Buffer.concat([sha256(evidence['appId'] ?? ''), start, sha256(bytesOf(evidence['clientData']))])
  return (start.readUInt8(0) & 1) === 1 && verify('sha256', signed, key, data.subarray(5))
}

it('can be checked with what is kept beside the vote, and nothing of ours', async () => {
  await using world = await startFactorWorld()
  const [ada, ben] = [await world.voter('Ada'), await world.voter('Ben')]
  const [adasKey, bensKey] = [new Authenticator(), new Authenticator()]
  await world.addKey(ada, adasKey)
  await world.addKey(ben, bensKey, 'fido-u2f')
  const request = await world.ask([ada, ben], ['securityKey'])
  const fido2 = adasKey.assert(world.ceremony(await world.fido2(ada, request)))
  await world.approve(ada, request, { fido2 })
  const asked = { ...world.ceremony(await world.u2f(ben, request)), rpId: 'https://approve.example' }
  await world.approve(ben, request, { u2f: bensKey.signU2f(asked) })

  const kept = (await world.votesOn(request)).map(({ evidence }) => evidence as unknown as Evidence)
  expect(kept.map(({ kind }) => kind)).toEqual(['fido2', 'u2f'])
  for (const evidence of kept) {
    expect(isSigned(evidence)).toBe(true)
    const other = bytesOf(kept.find((each) => each !== evidence)?.['publicKey']).toString('base64url')
    expect(isSigned({ ...evidence, publicKey: other })).toBe(false)
  }
})
