import { createPublicKey, type KeyObject } from 'node:crypto'

// A COSE_Key has one form: a map of five members in this order, each as short as can be (WebAuthn level 2, section 6.5.1.1;
// CTAP2 canonical CBOR). Between and behind these bytes stand the two coordinates.
const beforeX = Buffer.from('a5010203262001215820', 'hex')
const beforeY = Buffer.from('225820', 'hex')
const coordinate = 32
// SubjectPublicKeyInfo of a point on P-256 that is not compressed (RFC 5480, section 2), up to the coordinates.
const spkiStart = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d03010703420004', 'hex')

/** The ES256 key on P-256 of a COSE_Key in its one form (RFC 9053, section 7.1); null for anything else. */
export function readCoseKey(bytes: Uint8Array): KeyObject | null {
  const cose = Buffer.from(bytes)
  const x = cose.subarray(beforeX.length, beforeX.length + coordinate)
  const y = cose.subarray(-coordinate)
  if (!cose.equals(Buffer.concat([beforeX, x, beforeY, y])) || y.length !== coordinate) return null
  try {
    return createPublicKey({ key: Buffer.concat([spkiStart, x, y]), format: 'der', type: 'spki' })
  } catch {
    // Not a point of the curve.
    return null
  }
}

/** A P-256 public key in SPKI PEM, in exactly the form that Node writes (its last line feed may be missing); null otherwise. */
export function readP256Key(pem: string): KeyObject | null {
  if (!pem.startsWith('-----BEGIN PUBLIC KEY-----\n')) return null
  try {
    const key = createPublicKey(pem)
    const text = key.export({ type: 'spki', format: 'pem' })
    const isOfCurve = key.asymmetricKeyDetails?.namedCurve === 'prime256v1'
    // Only with coordinates that are written out: a compressed point is exported as such.
    const isWhole = key.export({ type: 'spki', format: 'der' }).subarray(0, spkiStart.length).equals(spkiStart)
    return isOfCurve && isWhole && (pem === text || `${pem}\n` === text) ? key : null
  } catch {
    return null
  }
}
