import { LRUCache } from 'lru-cache'
import { unseal } from '../config/secrets.ts'
import type { Ctx } from '../context.ts'
import type { Store } from '../store/open.ts'
import { listWebhookKeys, lockWebhookKeys, type WebhookKeyRow } from '../store/webhook-keys.ts'
import { transact } from '../store/unit-of-work.ts'
import { addWebhookKey } from './add-webhook-key.ts'

/** How long a process may go on signing with a key that another one ended, in milliseconds of its clock. */
const rememberMilliseconds = 2_000
const maxOrganizations = 1_000

interface SigningKey {
  readonly secret: Buffer
  readonly expiresAt: Date | null
}

interface Remembered {
  readonly readAt: number
  readonly keys: Promise<readonly SigningKey[]>
}

/**
 * The secrets that sign an organization's webhooks now, newest first: one or, while a rotation's overlap lasts, two. The
 * first is made when nobody has asked before.
 */
export async function webhookKeys(ctx: Ctx, orgId: string): Promise<readonly Buffer[]> {
  const now = ctx.clock.now()
  const keys = await rememberedKeys(ctx, orgId, now.getTime())
  return keys.filter(({ expiresAt }) => expiresAt === null || expiresAt > now).map(({ secret }) => secret)
}

/** What was remembered is read again: for who has just changed the keys. */
export function forgetWebhookKeys({ store }: Pick<Ctx, 'store'>, orgId: string): void {
  memoryOf(store).delete(orgId)
}

/** The keys that sign now, newest first, as they are stored; the first is made when there is none. */
export async function currentWebhookKeys(ctx: Ctx, orgId: string): Promise<readonly WebhookKeyRow[]> {
  const keys = await listWebhookKeys(ctx.db, orgId, ctx.clock.now())
  return keys.length > 0 ? keys : await firstWebhookKey(ctx, orgId)
}

/** Of two processes that find none, one makes it. */
async function firstWebhookKey(ctx: Ctx, orgId: string): Promise<readonly WebhookKeyRow[]> {
  return await transact(ctx, null, async (tx) => {
    await lockWebhookKeys(tx, orgId)
    const at = ctx.clock.now()
    if ((await listWebhookKeys(tx, orgId, at)).length === 0) {
      await addWebhookKey(ctx, tx, { orgId, actor: { kind: 'system' }, at, facts: {} })
    }
    return await listWebhookKeys(tx, orgId, at)
  })
}

async function rememberedKeys(ctx: Ctx, orgId: string, now: number): Promise<readonly SigningKey[]> {
  const memory = memoryOf(ctx.store)
  const known = memory.get(orgId)
  if (known !== undefined && Math.abs(now - known.readAt) < rememberMilliseconds) return await known.keys
  const read = { readAt: now, keys: readKeys(ctx, orgId) }
  memory.set(orgId, read)
  // A failure is the answer of those who wait for it, and of nobody after them.
  read.keys.catch(() => memory.get(orgId) === read && memory.delete(orgId))
  return await read.keys
}

async function readKeys(ctx: Ctx, orgId: string): Promise<readonly SigningKey[]> {
  const rows = await currentWebhookKeys(ctx, orgId)
  return rows.map((row) => ({ secret: unseal(ctx.keys.atRest, row.secret), expiresAt: row.expires_at }))
}

const memories = new WeakMap<Store, LRUCache<string, Remembered>>()

function memoryOf(store: Store): LRUCache<string, Remembered> {
  let memory = memories.get(store)
  if (memory === undefined) {
    memory = new LRUCache({ max: maxOrganizations })
    memories.set(store, memory)
  }
  return memory
}
