import { describe, expect, it } from 'vitest'
import { parseCheckpoint, renderCheckpoint } from './checkpoint.ts'
import { NoteError } from './note.ts'

// The example of C2SP tlog-checkpoint.
const body = 'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n'
const root = 'CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I='

describe('a checkpoint', () => {
  it('is read and written as the published example has it', () => {
    const checkpoint = parseCheckpoint(body)
    expect(checkpoint).toEqual({
      origin: 'example.com/behind-the-sofa',
      size: 20_852_163,
      root: Buffer.from(root, 'base64'),
    })
    expect(renderCheckpoint(checkpoint)).toBe(body)
  })

  it('may have lines of other logs, which are kept', () => {
    const longer = `${body}one more\nand another\n`
    expect(parseCheckpoint(longer).extensions).toEqual(['one more', 'and another'])
    expect(renderCheckpoint(parseCheckpoint(longer))).toBe(longer)
  })

  it.each(['0', '1', '9007199254740991'])('may have the size %s', (size) => {
    expect(parseCheckpoint(body.replace('20852163', size)).size).toBe(Number(size))
  })

  it.each(['', '01', '00', '-1', '+1', '1.0', '1e3', '0x10', ' 1', '1 ', '١', '9007199254740992', '1'.repeat(400)])(
    'has no size like %j',
    (size) => {
      expect(() => parseCheckpoint(body.replace('20852163', size))).toThrow(NoteError)
    },
  )

  it.each([
    ['no origin', body.replace('example.com/behind-the-sofa', '')],
    ['no last newline', body.slice(0, -1)],
    ['no root', body.replace(`${root}\n`, '')],
    ['an empty line', `${body}\n`],
    ['an empty line before another', `${body}\nmore\n`],
    ['a root of 31 bytes', body.replace(root, Buffer.alloc(31).toString('base64'))],
    ['a root of 33 bytes', body.replace(root, Buffer.alloc(33).toString('base64'))],
    ['a root whose unused bits are not zero', body.replace('q2I=', 'q2J=')],
    ['a root without padding', body.replace('q2I=', 'q2I')],
    ['a root in the alphabet of URLs', body.replace('om/X', 'om_X')],
    ['nothing', ''],
    ['newlines alone', '\n\n\n'],
  ])('is refused with %s', (_, text) => {
    expect(() => parseCheckpoint(text)).toThrow(NoteError)
  })
})
