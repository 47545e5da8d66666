import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { latestHead, publishedKeys } from '../../../audit/checkpoint.ts'
import { exportLog } from '../../../audit/export-log.ts'
import { proveConsistency, proveInclusion, readLeaf } from '../../../audit/prove.ts'
import { entryBundle, hashTile } from '../../../audit/tiles.ts'
import type { Ctx } from '../../../context.ts'
import { AppError } from '../../../errors.ts'
import { logToKnow, logToRead, logToVerify } from '../../../identity/log-access.ts'
import { verifierKeyText } from '../../../proof/note.ts'
import { renderTlogProof } from '../../../proof/tlog-proof.ts'
import { noStore } from '../../shared/no-store.ts'
import {
  checkpointAnswerSchema,
  consistencySchema,
  exportSchema,
  inclusionSchema,
  leafSchema,
  logKeysSchema,
  parseConsistencyQuery,
  parseExportQuery,
  parseInclusionQuery,
  parseLogNumber,
  parseTilePath,
  renderConsistency,
  renderInclusion,
  renderLeaf,
  renderLogKeys,
  tileSchema,
  wantsText,
} from '../wire/log.ts'

const path = '/v1/log'
const text = 'text/plain; charset=utf-8'
/** A tile never changes; whoever stands between must not show it to others. */
const kept = 'private, max-age=31536000, immutable'

/** The transparency log: an addition of ours (docs/log.md). */
export function logRoutes(app: FastifyInstance, ctx: Ctx): void {
  app.get(`${path}/key`, { schema: logKeysSchema, config: { public: 'unless-sent' } }, async (request) => {
    const orgId = await logToKnow(ctx, request.caller)
    const witnesses = ctx.config.witnesses.asked.map(({ key }) => verifierKeyText(key.name, key.type, key.publicKey))
    return renderLogKeys(await publishedKeys(ctx, orgId), witnesses)
  })

  app.get(`${path}/checkpoint`, { schema: checkpointAnswerSchema, onRequest: noStore }, async (request, reply) => {
    const { note } = await latestHead(ctx, await logToVerify(ctx, request.caller))
    return await reply.type(text).send(note)
  })

  app.get<{ Params: { '*': string } }>(`${path}/tile/*`, { schema: tileSchema }, async (request, reply) => {
    const tile = parseTilePath(request.params['*'])
    // Whose log it is, and whether leaves may be read, is told by the credential and not by the address.
    reply.header('vary', 'Authorization, Cookie, Origin')
    const bytes =
      tile.level === 'entries'
        ? await entryBundle(ctx, await logToRead(ctx, request.caller), tile)
        : await hashTile(ctx, await logToVerify(ctx, request.caller), tile.level, tile)
    return await reply
      .type('application/octet-stream')
      .header('cache-control', tile.level === 'entries' ? 'no-store' : kept)
      .send(bytes)
  })

  app.get<{ Params: { index: string } }>(`${path}/leaf/:index`, { schema: leafSchema }, async (request) => {
    const orgId = await logToRead(ctx, request.caller)
    return renderLeaf(await readLeaf(ctx, orgId, parseLogNumber(request.params.index, 'index')))
  })

  app.get(`${path}/proof/inclusion`, { schema: inclusionSchema }, async (request, reply) => {
    const orgId = await logToVerify(ctx, request.caller)
    const { key, size } = parseInclusionQuery(request.query)
    const proof = await proveInclusion(ctx, orgId, key, size)
    reply.header('vary', 'Accept')
    if (!wantsText(request.headers.accept)) return renderInclusion(proof)
    const { checkpoint } = proof
    if (checkpoint === null) throw new AppError('LOG_CHECKPOINT_NOT_FOUND', undefined, { field: 'size' })
    return await reply.type(text).send(renderTlogProof({ ...proof, checkpoint }))
  })

  app.get(`${path}/proof/consistency`, { schema: consistencySchema }, async (request) => {
    const orgId = await logToVerify(ctx, request.caller)
    const { from, to } = parseConsistencyQuery(request.query)
    return renderConsistency(await proveConsistency(ctx, orgId, from, to))
  })

  // A HEAD would read all of it for nothing.
  const exporting = { schema: exportSchema, exposeHeadRoute: false, onRequest: noStore }
  app.get(`${path}/export`, exporting, async (request, reply) => {
    const orgId = await logToRead(ctx, request.caller)
    const { from, limit } = parseExportQuery(request.query)
    const lines = await exportLog(ctx, orgId, from, limit)
    return await reply.type('application/x-ndjson').send(Readable.from(lines))
  })
}
