import { Type } from 'typebox'
import type { PublishedKey } from '../../../audit/checkpoint.ts'
import type { Consistency, FoundLeaf, Inclusion, LeafKey } from '../../../audit/prove.ts'
import type { Tile } from '../../../audit/tiles.ts'
import { parseSize } from '../../../proof/checkpoint.ts'
import { refuse, type JsonObject } from './read.ts'
import { answers, timestampSchema } from './schemas.ts'

const maxExported = 10_000
const defaultExported = 1_000

/** A number of leaves, or the index of one: from 0 to 2^53 - 1, without leading zeros. @throws AppError LOG_INVALID_NUMBER */
export function parseLogNumber(value: unknown, field: string): number {
  return (typeof value === 'string' ? parseSize(value) : null) ?? refuse('LOG_INVALID_NUMBER', field)
}

function optionalNumber(query: JsonObject, field: string): number | null {
  return query[field] === undefined ? null : parseLogNumber(query[field], field)
}

/** Reads `index` or `leaf`, and `size`. @throws AppError LOG_INVALID_NUMBER, LOG_INVALID_LEAF */
export function parseInclusionQuery(value: unknown): { readonly key: LeafKey; readonly size: number | null } {
  const query = value as JsonObject
  const { index, leaf } = query
  if (leaf !== undefined && index !== undefined) refuse('LOG_INVALID_LEAF', 'leaf')
  const key = leaf === undefined ? { index: parseLogNumber(index, 'index') } : { hash: parseHash(leaf) }
  return { key, size: optionalNumber(query, 'size') }
}

/** Reads `from` and `to`. @throws AppError LOG_INVALID_NUMBER */
export function parseConsistencyQuery(value: unknown): { readonly from: number; readonly to: number | null } {
  const query = value as JsonObject
  return { from: parseLogNumber(query['from'], 'from'), to: optionalNumber(query, 'to') }
}

/** Reads `from` and `limit`. @throws AppError LOG_INVALID_NUMBER */
export function parseExportQuery(value: unknown): { readonly from: number; readonly limit: number } {
  const query = value as JsonObject
  const limit = optionalNumber(query, 'limit') ?? defaultExported
  if (limit < 1 || limit > maxExported) refuse('LOG_INVALID_NUMBER', 'limit')
  return { from: optionalNumber(query, 'from') ?? 0, limit }
}

// What is not spelled exactly so is no path of a tile, not another name of one (C2SP tlog-tiles, "Merkle Tree").
const tilePath = /^(entries|0|[1-9]\d?)((?:\/x\d{3})*\/\d{3})(?:\.p\/([1-9]\d{0,2}))?$/
const longestTilePath = 100

/** Reads what follows `/tile/`. @throws AppError LOG_INVALID_TILE */
export function parseTilePath(text: string): Tile {
  const [, level = '', groups = '', width] = (text.length <= longestTilePath && tilePath.exec(text)) || []
  const digits = groups.replaceAll(/\/x?/g, '')
  // Groups of nothing but zeros in front would be another name of the same tile.
  const isShortest = digits.length === 3 || !digits.startsWith('000')
  const tile = {
    level: level === 'entries' ? level : Number(level),
    index: Number(digits),
    width: width === undefined ? 256 : Number(width),
  } as const
  const isTile = level !== '' && isShortest && (level === 'entries' || Number(level) <= 63)
  return isTile && (width === undefined || tile.width < 256) ? tile : refuse('LOG_INVALID_TILE', 'path')
}

/** Whether the answer is to be text, and not the JSON that everyone gets who says nothing. */
export function wantsText(accept: string | undefined): boolean {
  const types = (accept ?? '').split(',').map((type) => type.split(';', 1)[0]?.trim().toLowerCase())
  return types.includes('text/plain') && !types.includes('application/json')
}

export function renderLogKeys(keys: readonly PublishedKey[], witnesses: readonly string[]): object {
  return {
    keys: keys.map(({ verifierKey, from, until }) => ({
      verifierKey,
      from: from.toISOString(),
      until: until?.toISOString() ?? null,
    })),
    witnesses: witnesses.map((verifierKey) => ({ verifierKey })),
  }
}

export function renderLeaf({ index, hash, content }: FoundLeaf): object {
  return { index, hash: base64(hash), content }
}

export function renderInclusion({ index, size, leaf, path, root, checkpoint }: Inclusion): object {
  return { index, size, leaf: base64(leaf), path: path.map(base64), root: base64(root), checkpoint }
}

export function renderConsistency({ from, to, fromRoot, toRoot, path, checkpoint }: Consistency): object {
  return { from, to, fromRoot: base64(fromRoot), toRoot: base64(toRoot), path: path.map(base64), checkpoint }
}

/** 64 hexadecimal digits, or base64 of either alphabet. @throws AppError LOG_INVALID_LEAF */
function parseHash(value: unknown): Buffer {
  if (typeof value === 'string' && /^[0-9a-f]{64}$/i.test(value)) return Buffer.from(value, 'hex')
  // A plus sign that was not escaped has become a blank on its way.
  const text = typeof value === 'string' ? value.replaceAll(' ', '+') : ''
  if (/^[\w+/-]{43}=?$/.test(text)) return Buffer.from(text, 'base64')
  return refuse('LOG_INVALID_LEAF', 'leaf')
}

function base64(hash: Uint8Array): string {
  return Buffer.from(hash).toString('base64')
}

const tags = ['transparency log']
const hashSchema = Type.String({ description: '32 bytes in base64.' })
const pathSchema = Type.Array(hashSchema, { description: 'Nearest to the leaves first (RFC 6962).' })
const sizeSchema = Type.Integer({ minimum: 0, description: 'Leaves.' })
const checkpointSchema = Type.Union([Type.String(), Type.Null()], {
  description: 'The signed checkpoint of that size; null where there is none.',
})
const asText = (media: string, description: string) => ({
  description,
  content: { [media]: { schema: Type.String() } },
})

export const logKeysSchema = {
  tags,
  summary: 'The keys that sign the log, newest first, and the witnesses that cosign it',
  description: "Of the caller's organization, or of the default one.",
  security: [],
  response: answers({
    200: Type.Object({
      keys: Type.Array(
        Type.Object({
          verifierKey: Type.String({ description: 'C2SP signed-note: name+hash+key.' }),
          from: timestampSchema,
          until: Type.Union([timestampSchema, Type.Null()], {
            description: 'When it ceases to sign, once another does.',
          }),
        }),
      ),
      witnesses: Type.Array(Type.Object({ verifierKey: Type.String() })),
    }),
  }),
}

export const checkpointAnswerSchema = {
  tags,
  summary: 'The newest signed head of the log (C2SP tlog-checkpoint)',
  response: { ...answers({}), 200: asText('text/plain', 'A signed note; cosigned where witnesses are asked.') },
}

export const tileSchema = {
  tags,
  summary: 'A part of the tree, or of its leaves (C2SP tlog-tiles)',
  description: '`{level}/{index}`, `entries/{index}`, with `.p/{width}` for a partial one. Leaves need `audit:read`.',
  response: {
    ...answers({}),
    200: asText('application/octet-stream', 'Hashes of 32 bytes, or leaves after their length.'),
  },
}

export const leafSchema = {
  tags,
  summary: 'A leaf, exactly as it was hashed',
  response: answers({
    200: Type.Object({ index: sizeSchema, hash: hashSchema, content: Type.String({ description: 'RFC 8785 JSON.' }) }),
  }),
}

export const inclusionSchema = {
  tags,
  summary: 'The proof that a leaf is in the log',
  description: 'By `index` or by `leaf`, its hash. With Accept: text/plain as C2SP tlog-proof.',
  querystring: Type.Object({
    index: Type.Optional(sizeSchema),
    leaf: Type.Optional(Type.String({ description: '64 hexadecimal digits, or base64.' })),
    size: Type.Optional(sizeSchema),
  }),
  response: answers({
    200: Type.Object({
      index: sizeSchema,
      size: sizeSchema,
      leaf: hashSchema,
      path: pathSchema,
      root: hashSchema,
      checkpoint: checkpointSchema,
    }),
  }),
}

export const consistencySchema = {
  tags,
  summary: 'The proof that the log has only grown',
  querystring: Type.Object({ from: sizeSchema, to: Type.Optional(sizeSchema) }),
  response: answers({
    200: Type.Object({
      from: sizeSchema,
      to: sizeSchema,
      fromRoot: hashSchema,
      toRoot: hashSchema,
      path: pathSchema,
      checkpoint: checkpointSchema,
    }),
  }),
}

export const exportSchema = {
  tags,
  summary: 'Leaves as lines of JSON, with what it takes to verify them alone',
  querystring: Type.Object({
    from: Type.Optional(Type.Integer({ minimum: 0, default: 0 })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: maxExported, default: defaultExported })),
  }),
  response: {
    ...answers({}),
    200: asText('application/x-ndjson', 'A first line, the leaves, a last line: docs/log.md.'),
  },
}
