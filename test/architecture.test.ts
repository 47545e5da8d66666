import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { describe, expect, it } from 'vitest'

/**
 * Who may import whom. An area is a folder of src, or a file at its top. `type` edges may carry types only. What is not
 * listed is refused; every area may import `errors`.
 */
const mayImport: Readonly<Record<string, { readonly values: readonly string[]; readonly types?: readonly string[] }>> =
  {
    kernel: { values: [] },
    errors: { values: [] },
    config: { values: ['proof'] },
    witness: { values: ['proof', 'config'] },
    metrics: { values: [] },
    trace: { values: [] },
    'cross-origin': { values: [], types: ['context'] },
    store: { values: ['config'], types: ['kernel'] },
    audit: { values: ['config', 'outgoing', 'proof', 'store'], types: ['context'] },
    identity: { values: ['kernel', 'store', 'audit', 'config', 'proof'], types: ['context'] },
    approvals: { values: ['kernel', 'store', 'identity', 'audit', 'config'], types: ['context'] },
    access: {
      values: ['kernel', 'store', 'identity', 'audit', 'approvals', 'deliveries', 'config'],
      types: ['context'],
    },
    custody: {
      values: ['kernel', 'store', 'identity', 'audit', 'approvals', 'config'],
      types: ['context'],
    },
    receipts: { values: ['approvals', 'audit', 'identity', 'proof', 'store'], types: ['context', 'kernel'] },
    verify: { values: ['kernel', 'proof'] },
    outgoing: { values: ['config'] },
    deliveries: {
      values: ['approvals', 'audit', 'config', 'identity', 'outgoing', 'store'],
      types: ['context', 'kernel'],
    },
    jobs: {
      values: ['approvals', 'audit', 'custody', 'deliveries', 'dialects/fortanix', 'identity', 'proof', 'store'],
      types: ['config', 'context'],
    },
    watching: { values: ['approvals', 'identity', 'store'], types: ['config', 'context', 'kernel', 'metrics'] },
    'dialects/shared': { values: ['identity'], types: ['config', 'context'] },
    'dialects/native': {
      values: [
        'approvals',
        'deliveries',
        'dialects/shared',
        'identity',
        'audit',
        'proof',
        'receipts',
        'trace',
        'watching',
      ],
      types: ['context', 'kernel', 'store', 'config'],
    },
    'dialects/privx': {
      values: ['access', 'dialects/shared', 'identity'],
      types: ['config', 'context', 'deliveries', 'kernel', 'store'],
    },
    'dialects/fortanix': {
      values: ['custody', 'dialects/shared', 'identity'],
      types: ['config', 'context', 'kernel', 'store'],
    },
    health: { values: [], types: ['context'] },
    'api-descriptions': { values: ['dialects/fortanix', 'dialects/privx', 'dialects/shared'] },
    operations: { values: ['health'], types: ['context'] },
    demo: { values: ['approvals', 'config', 'custody', 'identity', 'store', 'dialects/native'], types: ['context'] },
    cli: { values: ['main', 'verify'] },
    context: { values: ['audit', 'config', 'store', 'metrics', 'identity', 'outgoing', 'watching'] },
    server: {
      values: [
        'api-descriptions',
        'context',
        'operations',
        'identity',
        'dialects/native',
        'dialects/privx',
        'dialects/fortanix',
        'trace',
        'cross-origin',
      ],
      types: ['config'],
    },
    'tls-listener': { values: ['config'], types: ['context'] },
    maintenance: { values: ['approvals', 'store'], types: ['context'] },
    usage: { values: [] },
    monitor: { values: ['approvals', 'audit', 'config', 'dialects/native', 'kernel', 'proof', 'store'] },
    commands: {
      values: ['audit', 'config', 'context', 'demo', 'jobs', 'maintenance', 'server', 'store', 'tls-listener'],
    },
    main: { values: ['audit', 'commands', 'config', 'monitor', 'usage', 'verify', 'witness'] },
  }

interface Import {
  readonly from: string
  readonly to: string
  readonly isTypeOnly: boolean
}

const src = join(import.meta.dirname, '..', 'src')

it('lets no import through a wall between folders that is not listed', () => {
  const refused = importsOf(src).filter((found) => !isAllowed(found))
  expect(refused.map(({ from, to, isTypeOnly }) => `${from} imports ${isTypeOnly ? 'types of ' : ''}${to}`)).toEqual([])
})

it('refuses a forbidden import when there is one', () => {
  expect(isAllowed({ from: 'kernel/decide.ts', to: 'store/open.ts', isTypeOnly: true })).toBe(false)
  expect(isAllowed({ from: 'store/votes.ts', to: 'kernel/request.ts', isTypeOnly: false })).toBe(false)
  expect(isAllowed({ from: 'dialects/native/plugin.ts', to: 'store/votes.ts', isTypeOnly: false })).toBe(false)
})

it('names only areas that exist', () => {
  const areas = new Set(filesOf(src).map((file) => areaOf(relative(src, file))))
  expect(Object.keys(mayImport).filter((area) => !areas.has(area))).toEqual([])
})

describe('a dialect translates: it reads no table, and decides nothing', () => {
  const dialects = readdirSync(join(src, 'dialects'))
  const store = '../../store/votes.ts'
  const kernel = '../../kernel/request.ts'
  /** Whatever the table above comes to say. */
  const neverValuesOf: readonly string[] = ['store', 'kernel']

  it.each(dialects)('%s may have types of store and kernel, and no values', (dialect) => {
    const { values = [] } = mayImport[`dialects/${dialect}`] ?? {}
    expect(values.filter((area) => neverValuesOf.includes(area))).toEqual([])
  })

  const attempts: readonly (readonly [how: string, text: (of: string) => string])[] = [
    ['by its name', (of) => `import { decide } from '${of}'`],
    ['on several lines', (of) => `import {\n  type Row,\n  decide,\n} from '${of}'`],
    ['whole', (of) => `import * as all from '${of}'`],
    ['by default, beside a type', (of) => `import decide, { type Row } from '${of}'`],
    ['for what it does when it is loaded', (of) => `import '${of}'`],
    ['to pass it on', (of) => `export { decide } from '${of}'`],
    ['to pass it all on', (of) => `export * from '${of}'`],
    ['at run time', (of) => `async function late() {\n  return await import('${of}')\n}`],
  ]
  const cases = dialects.flatMap((dialect) => attempts.map(([how, text]) => [dialect, how, text] as const))

  it.each(cases)('%s may not import a value %s', (dialect, _how, text) => {
    for (const of of [store, kernel]) {
      const found = importsIn(join('dialects', dialect, 'new.ts'), text(of))
      expect(found).toHaveLength(1)
      expect(found.filter(isAllowed)).toEqual([])
    }
  })

  it('writes no statement of its own, for which it needs no import', () => {
    const queries =
      /\b(selectFrom|insertInto|updateTable|deleteFrom|withSchema|executeQuery)\(|\bsql(<[^>]*>)?`|'(kysely|pg|@electric-sql\/[^']*)'/
    const asking = filesOf(join(src, 'dialects')).filter((file) => queries.test(readFileSync(file, 'utf8')))
    expect(asking.map((file) => relative(src, file))).toEqual([])
  })
})

function isAllowed({ from, to, isTypeOnly }: Import): boolean {
  const [here, there] = [areaOf(from), areaOf(to)]
  if (here === there || there === 'errors') return here !== 'kernel' || there === 'kernel'
  const { values = [], types = [] } = mayImport[here] ?? {}
  return values.includes(there) || (isTypeOnly && types.includes(there))
}

function areaOf(file: string): string {
  const [first = '', second = ''] = file.split(sep)
  if (first === 'dialects') return `${first}/${second}`
  return first.replace(/\.ts$/, '')
}

function importsOf(root: string): Import[] {
  return filesOf(root).flatMap((file) => importsIn(relative(root, file), readFileSync(file, 'utf8')))
}

/** What a file imports from its own package, at its top and at run time. */
function importsIn(from: string, text: string): Import[] {
  const target = (path: string | undefined) => join(dirname(from), path ?? '')
  const atTop = [...text.matchAll(/^(?:import|export)\s+(type\s)?([^;'"]*?from\s+)?'(\.[^']+)'/gm)].map((match) => ({
    from,
    to: target(match[3]),
    isTypeOnly: match[1] !== undefined || hasOnlyTypes(match[2] ?? ''),
  }))
  const atRunTime = [...text.matchAll(/\bimport\(\s*'(\.[^']+)'/g)].map((match) => ({
    from,
    to: target(match[1]),
    isTypeOnly: false,
  }))
  return [...atTop, ...atRunTime]
}

/** `{ type A, type B } from` */
function hasOnlyTypes(clause: string): boolean {
  const names = /^\s*\{([^}]*)\}/.exec(clause)?.[1]?.split(',') ?? []
  const named = names.map((name) => name.trim()).filter((name) => name !== '')
  return named.length > 0 && named.every((name) => name.startsWith('type '))
}

function filesOf(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.tsx?$/.test(file) && !/\.test\.tsx?$/.test(file))
    .map((file) => join(root, file))
}
