import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { voteChallenge } from '../../../src/proof/vote-challenge.ts'

const page = await readFile(join(import.meta.dirname, '..', '..', '..', 'docs', 'security-keys.md'), 'utf8')
const vote = {
  orgId: '00000000-0000-7000-8000-000000000001',
  requestId: '0198f0c0-1111-7222-8333-444455556666',
  digest: 'a'.repeat(64),
  policyDigest: '0123456789abcdef'.repeat(4),
  personId: '0198f0c0-2222-7333-8444-555566667777',
}
const nonce = Buffer.alloc(32)
const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url')

it('is the hash of the text that docs/security-keys.md shows', () => {
  const [, shown = ''] = /```json\n(\{"digest".*\})\n```/.exec(page) ?? []
  expect(base64url(createHash('sha256').update(shown).digest())).toBe(base64url(voteChallenge(vote, nonce)))
})

it('is that of every vector of docs/security-keys.md', () => {
  const vectors = [...page.matchAll(/^\| `([\w-]{43})` \| `([\w-]{36})` \| `([\w-]{43})` \|$/gm)]
  expect(vectors).toHaveLength(3)
  for (const [, written = '', requestId = '', challenge] of vectors)
    expect(base64url(voteChallenge({ ...vote, requestId }, Buffer.from(written, 'base64url')))).toBe(challenge)
})

it.each(Object.keys(vote))('is another with another %s', (member) => {
  expect(voteChallenge({ ...vote, [member]: 'other' }, nonce)).not.toEqual(voteChallenge(vote, nonce))
})
