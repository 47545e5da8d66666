import { Type } from 'typebox'
import { AppError } from '../../../errors.ts'
import type { AgentChanges } from '../../../identity/agents/change-agent.ts'
import type { ManagedAgent } from '../../../identity/agents/managed-agent.ts'
import type { RotatedKey } from '../../../identity/agents/rotate-key.ts'
import { uuidOf } from './ids.ts'
import { asObject, refuse } from './read.ts'
import { answers, noBody, timestampSchema, uuidSchema } from './schemas.ts'

/** Reads the body of `PATCH /v1/agents/{agentIdOrName}`. @throws AppError MALFORMED_REQUEST, REFERENCED_USER_NOT_FOUND */
export function parseAgentChanges(body: unknown): AgentChanges {
  const { dpopRequired = null, ownerId = null } = asObject(body)
  if (dpopRequired !== null && typeof dpopRequired !== 'boolean') return refuse('MALFORMED_REQUEST', 'dpopRequired')
  if (ownerId !== null && typeof ownerId !== 'string') return refuse('MALFORMED_REQUEST', 'ownerId')
  if (dpopRequired === null && ownerId === null) {
    throw new AppError('MALFORMED_REQUEST', 'Nothing to change: give dpopRequired or ownerId.')
  }
  const owner = ownerId === null ? null : uuidOf(ownerId)
  if (ownerId !== null && owner === null) return refuse('REFERENCED_USER_NOT_FOUND', 'ownerId')
  return { dpopRequired, ownerId: owner }
}

/** Reads the body of `POST …/rotate-key`: the PEM that the caller gives, or null. @throws AppError AGENT_PUBLIC_KEY_INVALID */
export function parseNewKey(body: unknown): string | null {
  const { publicKey = null } = asObject(body ?? {})
  if (publicKey === null) return null
  const isBase64 =
    typeof publicKey === 'string' && publicKey.length < maxKeyLength && /^[\w+/\s-]+=*\s*$/.test(publicKey)
  if (!isBase64) return refuse('AGENT_PUBLIC_KEY_INVALID', 'publicKey')
  return Buffer.from(publicKey, 'base64').toString()
}

const maxKeyLength = 8192

export function renderManagedAgent(agent: ManagedAgent): object {
  return {
    id: agent.id,
    agentName: agent.name,
    publicKey: base64(agent.public_key ?? ''),
    createdAt: agent.created_at.toISOString(),
    dpopRequired: agent.dpop_required,
    ...(agent.ownerId !== null && { ownerId: agent.ownerId }),
    ...(agent.disabled_at !== null && { revokedAt: agent.disabled_at.toISOString() }),
  }
}

/** The one answer that holds the new private key. */
export function renderRotatedKey({ id, name, publicKey, privateKey }: RotatedKey): object {
  return {
    agentId: id,
    agentName: name,
    publicKey: base64(publicKey),
    ...(privateKey !== null && { privateKey: base64(privateKey) }),
  }
}

function base64(pem: string): string {
  return Buffer.from(pem).toString('base64')
}

const tags = ['agents']
const pemSchema = Type.String({ description: 'Base64 of a PEM text.' })

const managedAgentSchema = Type.Object({
  id: uuidSchema,
  agentName: Type.String(),
  publicKey: pemSchema,
  createdAt: timestampSchema,
  dpopRequired: Type.Boolean(),
  ownerId: Type.Optional(uuidSchema),
  revokedAt: Type.Optional(timestampSchema),
})

export const readManagedAgentSchema = {
  tags,
  summary: 'One agent, for who manages it',
  response: answers({ 200: managedAgentSchema }),
}

export const changeAgentSchema = {
  tags,
  summary: 'Change who answers for an agent, or whether its tokens must be bound to its key',
  body: Type.Object({ dpopRequired: Type.Optional(Type.Boolean()), ownerId: Type.Optional(uuidSchema) }),
  response: answers({ 200: managedAgentSchema }),
}

export const rotateKeySchema = {
  tags,
  summary: 'Give an agent another key; what the old one signed in ends',
  response: answers({
    200: Type.Object({
      agentId: uuidSchema,
      agentName: Type.String(),
      publicKey: pemSchema,
      privateKey: Type.Optional(pemSchema),
    }),
  }),
}

export const revokeAgentSchema = { tags, summary: 'Shut an agent out', response: answers({ 204: noBody }) }
export const restoreAgentSchema = { tags, summary: 'Let a revoked agent in again', response: answers({ 204: noBody }) }
