/** Arithmetic of NIST P-256 on what is public: its times tell what it works on (FIPS 186-5, SP 800-186 §3.2.1.3). */

const p = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn
const a = p - 3n
const b = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn
/** How many points there are. */
export const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

interface Point {
  readonly x: bigint
  readonly y: bigint
}

const base: Point = {
  x: 0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
  y: 0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
}

export function mod(value: bigint, modulus: bigint): bigint {
  const rest = value % modulus
  return rest < 0n ? rest + modulus : rest
}

/** By Euclid. @param value not a multiple of the modulus, which is prime */
export function inverse(value: bigint, modulus: bigint): bigint {
  let [low, high, lowFactor, highFactor] = [mod(value, modulus), modulus, 1n, 0n]
  while (low > 1n) {
    const ratio = high / low
    ;[low, high, lowFactor, highFactor] = [high - ratio * low, low, highFactor - ratio * lowFactor, lowFactor]
  }
  return mod(lowFactor, modulus)
}

/** In Jacobian coordinates: (x / z², y / z³); infinity where z is 0. One division is left, for the end. */
interface Triple {
  readonly x: bigint
  readonly y: bigint
  readonly z: bigint
}

const infinity: Triple = { x: 1n, y: 1n, z: 0n }

/** The formulas "dbl-2001-b" for a = -3; infinity stays. */
function doubled({ x, y, z }: Triple): Triple {
  const delta = mod(z * z, p)
  const gamma = mod(y * y, p)
  const beta = mod(x * gamma, p)
  const alpha = mod(3n * (x - delta) * (x + delta), p)
  const doubledX = mod(alpha * alpha - 8n * beta, p)
  return {
    x: doubledX,
    y: mod(alpha * (4n * beta - doubledX) - 8n * gamma * gamma, p),
    z: mod((y + z) * (y + z) - gamma - delta, p),
  }
}

function add(one: Triple, other: Triple): Triple {
  if (one.z === 0n) return other
  if (other.z === 0n) return one
  const [oneSquare, otherSquare] = [mod(one.z * one.z, p), mod(other.z * other.z, p)]
  const [u, v] = [mod(one.x * otherSquare, p), mod(other.x * oneSquare, p)]
  const [s, t] = [mod(one.y * other.z * otherSquare, p), mod(other.y * one.z * oneSquare, p)]
  if (u === v) return s === t ? doubled(one) : infinity
  const [h, r] = [v - u, t - s]
  const square = mod(h * h, p)
  const cube = mod(h * square, p)
  const x = mod(r * r - cube - 2n * u * square, p)
  return { x, y: mod(r * (u * square - x) - s * cube, p), z: mod(h * one.z * other.z, p) }
}

/** The first coordinate of `u * base + v * point`; null at infinity, or when the point is none of the curve. */
export function combine(u: bigint, v: bigint, point: Point): bigint | null {
  const { x, y } = point
  if (mod(y * y - x * x * x - a * x - b, p) !== 0n) return null
  const [first, second] = [
    { ...base, z: 1n },
    { ...point, z: 1n },
  ]
  const both = add(first, second)
  let sum = infinity
  for (let bit = 255n; bit >= 0n; bit -= 1n) {
    sum = doubled(sum)
    const [hasFirst, hasSecond] = [((u >> bit) & 1n) === 1n, ((v >> bit) & 1n) === 1n]
    if (hasFirst || hasSecond) sum = add(sum, hasFirst && hasSecond ? both : hasFirst ? first : second)
  }
  return sum.z === 0n ? null : mod(sum.x * inverse(sum.z * sum.z, p), p)
}
