import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { wireErrors } from '../src/dialects/native/errors.ts'
import { errorCodes, type ErrorCode } from '../src/errors.ts'

const page = readFileSync(join(import.meta.dirname, '..', 'docs', 'errors.md'), 'utf8')
const documented = new Map(
  [...page.matchAll(/^\| `([A-Z_]+)` \| (\d+)(?: as `([A-Z_]+)`)? \| (.*) \|$/gm)].map((row) => [row[1], row.slice(2)]),
)

it('documents every error code, and nothing that is no error code', () => {
  expect(new Set(documented.keys())).toEqual(new Set(Object.keys(errorCodes)))
})

it('documents each code with the status, wire code and meaning that it has', () => {
  for (const code of Object.keys(errorCodes) as ErrorCode[]) {
    const { status, code: wireCode } = wireErrors[code]
    expect(documented.get(code), code).toEqual([String(status), wireCode, errorCodes[code]])
  }
})
