import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { frontierAt, readSubtrees } from './frontier.ts'
import {
  consistencyPath,
  emptyRoot,
  inclusionPath,
  leafHash,
  nodeHash,
  rootAt,
  rootOf,
  verifyConsistency,
  verifyInclusion,
  type Hash,
  type ReadNode,
} from './merkle.ts'

/** Sizes of which everything is tried. */
const largest = 300
const leaves = Array.from({ length: largest }, (_, index) => leafHash(Buffer.from(`leaf ${index}`)))

// The definitions of RFC 6962 section 2.1 word for word, without regard to cost.

function naiveRoot(hashes: readonly Hash[]): Hash {
  if (hashes.length === 0) return emptyRoot
  if (hashes.length === 1) return hashes[0] as Hash
  const k = splitOf(hashes.length)
  return nodeHash(naiveRoot(hashes.slice(0, k)), naiveRoot(hashes.slice(k)))
}

function naivePath(m: number, hashes: readonly Hash[]): Hash[] {
  if (hashes.length === 1) return []
  const k = splitOf(hashes.length)
  if (m < k) return [...naivePath(m, hashes.slice(0, k)), naiveRoot(hashes.slice(k))]
  return [...naivePath(m - k, hashes.slice(k)), naiveRoot(hashes.slice(0, k))]
}

function naiveProof(m: number, hashes: readonly Hash[], isKnown = true): Hash[] {
  if (m === hashes.length) return isKnown ? [] : [naiveRoot(hashes)]
  const k = splitOf(hashes.length)
  if (m <= k) return [...naiveProof(m, hashes.slice(0, k), isKnown), naiveRoot(hashes.slice(k))]
  return [...naiveProof(m - k, hashes.slice(k), false), naiveRoot(hashes.slice(0, k))]
}

function splitOf(n: number): number {
  let k = 1
  while (k * 2 < n) k *= 2
  return k
}

/** Refuses what is not a complete subtree of the tree. */
function reader(hashes: readonly Hash[]): ReadNode {
  const known = new Map<string, Hash>()
  return (level, index) => {
    const [start, end] = [index * 2 ** level, (index + 1) * 2 ** level]
    if (!Number.isInteger(start) || end > hashes.length) throw new Error(`no subtree ${level}/${index}`)
    const place = `${level}/${index}`
    const hash = known.get(place) ?? naiveRoot(hashes.slice(start, end))
    known.set(place, hash)
    return hash
  }
}

const hex = (hash: Hash) => Buffer.from(hash).toString('hex')
const hexes = (hashes: readonly Hash[]) => hashes.map(hex)

/** The tree that the reference implementation of Certificate Transparency is tested with. */
const reference = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f']
const referenceLeaves = reference.map((content) => leafHash(Buffer.from(content, 'hex')))
const referenceRoots = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]

describe('the tree', () => {
  it('has the roots of the published vectors', () => {
    expect(hex(emptyRoot)).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
    const roots = referenceLeaves.map((_, index) => rootOf(referenceLeaves.slice(0, index + 1)))
    expect(hexes(roots)).toEqual(referenceRoots)
  })

  it('has the proofs of the published vectors', async () => {
    const read = reader(referenceLeaves)
    expect(hexes(await inclusionPath(read, 5, 8))).toEqual([
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ])
    expect(hexes(await consistencyPath(read, 6, 8))).toEqual([
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ])
  })

  it('has the root of the recursive definition at every size, however it is come by', async () => {
    const read = reader(leaves)
    const grown = frontierAt(0, [])
    for (let size = 0; size <= largest; size++) {
      const first = leaves.slice(0, size)
      const expected = hex(naiveRoot(first))
      const subtrees = await readSubtrees(read, size)
      const roots = [rootOf(first), await rootAt(read, size), grown.root(), frontierAt(size, subtrees).root()]
      expect(hexes(roots)).toEqual([expected, expected, expected, expected])
      expect(hexes(grown.subtrees())).toEqual(hexes(subtrees))
      if (size < largest) grown.add(leaves[size] as Hash)
    }
  })

  it('tells each complete subtree once, while it grows', () => {
    const told = new Map<string, string>()
    const read = reader(leaves)
    const grown = frontierAt(0, [])
    for (const leaf of leaves) {
      grown.add(leaf, ({ level, index }, hash) => {
        expect(told.has(`${level}/${index}`)).toBe(false)
        expect(hash).toEqual(read(level, index))
        told.set(`${level}/${index}`, hex(hash))
      })
    }
    let count = 0
    for (let width = 1; width <= largest; width *= 2) count += Math.floor(largest / width)
    expect(told.size).toBe(count)
  })

  it('refuses subtrees that are not those of the size', () => {
    expect(() => frontierAt(3, [emptyRoot])).toThrow(RangeError)
    expect(() => frontierAt(-1, [])).toThrow(RangeError)
    expect(() => frontierAt(0.5, [])).toThrow(RangeError)
  })
})

describe('inclusion', () => {
  it('is proven as the recursive definition says, and verifies, for every leaf of every size', async () => {
    const read = reader(leaves)
    for (let size = 1; size <= largest; size++) {
      const first = leaves.slice(0, size)
      const root = rootOf(first)
      for (let index = 0; index < size; index++) {
        const path = await inclusionPath(read, index, size)
        if (size <= 70) expect(hexes(path)).toEqual(hexes(naivePath(index, first)))
        expect(verifyInclusion({ index, size, leaf: leaves[index] as Hash, path, root })).toBe(true)
      }
    }
  })

  it('is refused under any other index or size that the proof could be read with', async () => {
    for (let size = 1; size <= 40; size++) {
      const root = rootOf(leaves.slice(0, size))
      for (let index = 0; index < size; index++) {
        const path = await inclusionPath(reader(leaves), index, size)
        const leaf = leaves[index] as Hash
        for (let other = 0; other <= 41; other++) {
          if (other !== index) expect(verifyInclusion({ index: other, size, leaf, path, root })).toBe(false)
        }
        expect(verifyInclusion({ index, size: index, leaf, path, root })).toBe(false)
      }
    }
  })

  it('is refused once anything of it is altered', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: largest }), fc.nat(), fc.nat(), async (size, at, where) => {
        const index = at % size
        const path = await inclusionPath(reader(leaves), index, size)
        const proof = { index, size, leaf: leaves[index] as Hash, path, root: rootOf(leaves.slice(0, size)) }
        expect(verifyInclusion(proof)).toBe(true)
        const refused = [
          { ...proof, leaf: flipped(proof.leaf, where) },
          { ...proof, root: flipped(proof.root, where) },
          { ...proof, path: [...path, proof.leaf] },
          { ...proof, path: [proof.leaf, ...path] },
          { ...proof, index: index - 1 },
          { ...proof, index: index + 1 },
          { ...proof, index: size },
          ...changedPaths(path, where).map((changed) => ({ ...proof, path: changed })),
        ]
        for (const altered of refused) expect(verifyInclusion(altered)).toBe(false)
      }),
      { numRuns: 300 },
    )
  })

  it('is refused, and not guessed at, where numbers and hashes are none', () => {
    const leaf = leaves[0] as Hash
    const proof = { index: 0, size: 1, leaf, path: [], root: leaf }
    expect(verifyInclusion(proof)).toBe(true)
    for (const index of [-1, 0.5, Number.NaN, Infinity, 2 ** 53, '0' as unknown as number]) {
      expect(verifyInclusion({ ...proof, index })).toBe(false)
    }
    for (const size of [0, -1, 1.5, Number.NaN, Infinity, 2 ** 53, '1' as unknown as number]) {
      expect(verifyInclusion({ ...proof, size })).toBe(false)
    }
    const short = leaf.subarray(1)
    expect(verifyInclusion({ ...proof, leaf: short, root: short })).toBe(false)
    expect(verifyInclusion({ ...proof, size: 2, path: [short] })).toBe(false)
    expect(verifyInclusion({ ...proof, leaf: hex(leaf) as unknown as Hash })).toBe(false)
  })

  it('is proven and verified in a tree of more leaves than 32 bits can count', async () => {
    const size = 2 ** 40 + 3
    const { read, root } = await largeTree(size)
    for (const index of [0, 5, 2 ** 33 + 1, 2 ** 40 - 1, 2 ** 40, 2 ** 40 + 2]) {
      const path = await inclusionPath(read, index, size)
      const leaf = await read(0, index)
      expect(verifyInclusion({ index, size, leaf, path, root })).toBe(true)
      expect(verifyInclusion({ index: index + 2 ** 32, size, leaf, path, root })).toBe(false)
    }
  })
})

describe('consistency', () => {
  it('is proven as the recursive definition says, and verifies, between every two sizes', async () => {
    const read = reader(leaves)
    const roots = Array.from({ length: largest + 1 }, (_, size) => rootOf(leaves.slice(0, size)))
    for (let to = 0; to <= largest; to++) {
      for (let from = 0; from <= to; from++) {
        const path = await consistencyPath(read, from, to)
        if (to <= 40 && from > 0) expect(hexes(path)).toEqual(hexes(naiveProof(from, leaves.slice(0, to))))
        const [fromRoot, toRoot] = [roots[from] as Hash, roots[to] as Hash]
        expect(verifyConsistency({ from, to, fromRoot, toRoot, path })).toBe(true)
      }
    }
  })

  it('is refused once anything of it is altered', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: largest }), fc.nat(), fc.nat(), async (to, at, where) => {
        const from = at % (to + 1)
        const path = await consistencyPath(reader(leaves), from, to)
        const [fromRoot, toRoot] = [rootOf(leaves.slice(0, from)), rootOf(leaves.slice(0, to))]
        const proof = { from, to, fromRoot, toRoot, path }
        expect(verifyConsistency(proof)).toBe(true)
        const refused = [
          { ...proof, fromRoot: flipped(fromRoot, where) },
          { ...proof, path: [...path, toRoot] },
          { ...proof, path: [toRoot, ...path] },
          { ...proof, from: to, to: from === to ? from - 1 : from },
          ...changedPaths(path, where).map((changed) => ({ ...proof, path: changed })),
          // Every tree begins with the empty one: nothing is said of the larger one's root.
          ...(from === 0 ? [] : [{ ...proof, toRoot: flipped(toRoot, where) }]),
        ]
        for (const altered of refused) expect(verifyConsistency(altered)).toBe(false)
      }),
      { numRuns: 300 },
    )
  })

  it('is refused under any other sizes that the proof could be read with', async () => {
    const roots = Array.from({ length: 41 }, (_, size) => rootOf(leaves.slice(0, size)))
    for (let to = 1; to <= 40; to++) {
      for (let from = 1; from < to; from++) {
        const path = await consistencyPath(reader(leaves), from, to)
        const proof = { from, to, fromRoot: roots[from] as Hash, toRoot: roots[to] as Hash, path }
        for (let other = 0; other <= 40; other++) {
          if (other !== from) expect(verifyConsistency({ ...proof, from: other })).toBe(false)
        }
        expect(verifyConsistency({ ...proof, to: from })).toBe(false)
      }
    }
  })

  it('is refused, and not guessed at, where numbers and hashes are none', () => {
    const root = leaves[0] as Hash
    const proof = { from: 1, to: 1, fromRoot: root, toRoot: root, path: [] }
    expect(verifyConsistency(proof)).toBe(true)
    for (const bad of [-1, 0.5, Number.NaN, Infinity, 2 ** 53, '1' as unknown as number]) {
      expect(verifyConsistency({ ...proof, from: bad })).toBe(false)
      expect(verifyConsistency({ ...proof, to: bad })).toBe(false)
      expect(verifyConsistency({ ...proof, from: bad, to: bad })).toBe(false)
    }
    const short = root.subarray(1)
    expect(verifyConsistency({ ...proof, fromRoot: short, toRoot: short })).toBe(false)
    expect(verifyConsistency({ ...proof, from: 0, to: 0 })).toBe(false)
    expect(verifyConsistency({ from: 0, to: 0, fromRoot: emptyRoot, toRoot: emptyRoot, path: [] })).toBe(true)
    expect(verifyConsistency({ from: 0, to: 1, fromRoot: root, toRoot: root, path: [] })).toBe(false)
  })

  it('is proven and verified in a tree of more leaves than 32 bits can count', async () => {
    const to = 2 ** 40 + 3
    const { read, root } = await largeTree(to)
    for (const from of [1, 7, 2 ** 33 + 1, 2 ** 40 - 1, 2 ** 40, 2 ** 40 + 2]) {
      const path = await consistencyPath(read, from, to)
      const fromRoot = await rootAt(read, from)
      expect(verifyConsistency({ from, to, fromRoot, toRoot: root, path })).toBe(true)
      expect(verifyConsistency({ from: from + 2 ** 32, to, fromRoot, toRoot: root, path })).toBe(false)
    }
  })
})

it('asks for no proof of what is not there', async () => {
  const read = reader(leaves)
  for (const [index, size] of [
    [0, 0],
    [3, 3],
    [-1, 3],
    [0.5, 3],
    [0, 2 ** 53],
  ] as const) {
    await expect(inclusionPath(read, index, size)).rejects.toThrow(RangeError)
  }
  await expect(consistencyPath(read, 4, 3)).rejects.toThrow(RangeError)
  await expect(consistencyPath(read, -1, 3)).rejects.toThrow(RangeError)
  await expect(rootAt(read, 1.5)).rejects.toThrow(RangeError)
})

function flipped(hash: Hash, where: number): Hash {
  const changed = Buffer.from(hash)
  const at = where % (changed.length * 8)
  changed[at >> 3] = (changed[at >> 3] as number) ^ (1 << (at & 7))
  return changed
}

/** One bit off, one missing, two exchanged, one doubled, all gone. */
function changedPaths(path: readonly Hash[], where: number): Hash[][] {
  if (path.length === 0) return []
  const at = where % path.length
  const next = (at + 1) % path.length
  const exchanged = [...path]
  ;[exchanged[at], exchanged[next]] = [path[next] as Hash, path[at] as Hash]
  return [
    path.with(at, flipped(path[at] as Hash, where)),
    path.toSpliced(at, 1),
    path.toSpliced(at, 0, path[at] as Hash),
    [],
    ...(at === next ? [] : [exchanged]),
  ]
}

/** A tree all of whose leaves are the same, so that there is one complete subtree of each height. */
async function largeTree(size: number): Promise<{ read: ReadNode; root: Hash }> {
  // The first leaves differ from the others, or one index would be as good as another.
  const same = [leaves[0] as Hash]
  for (let level = 0; level < 53; level++) same.push(nodeHash(same[level] as Hash, same[level] as Hash))
  const special = new Set([0, 5, 2 ** 33 + 1, 2 ** 40 - 1, 2 ** 40, 2 ** 40 + 2])
  const read: ReadNode = async (level, index) => {
    const [start, end] = [index * 2 ** level, (index + 1) * 2 ** level]
    if (![...special].some((at) => at >= start && at < end)) return same[level] as Hash
    if (level === 0) return leafHash(Buffer.from(`special ${index}`))
    return nodeHash(await read(level - 1, index * 2), await read(level - 1, index * 2 + 1))
  }
  return { read, root: await rootAt(read, size) }
}
