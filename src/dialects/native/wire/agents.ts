import { Type } from 'typebox'
import type { Profile } from '../../../identity/find-profile.ts'
import type { RegisteredAgent } from '../../../identity/register-agent.ts'
import { isUuidV7 } from './ids.ts'
import { pageQuery, paginationSchema } from './pages.ts'
import { asObject, refuse } from './read.ts'
import { renderRoles, roleItemSchema } from './roles.ts'
import { answers, concurrencyControlSchema, timestampSchema, uuidSchema } from './schemas.ts'
import { requiredText } from './texts.ts'

/** Reads the body of `POST /agents/register`. @throws AppError with the codes of contract §1.7 */
export function parseAgentName(value: unknown): string {
  const codes = { empty: 'AGENT_NAME_EMPTY', tooLong: 'AGENT_NAME_TOO_LONG' } as const
  // No body is a missing name, which has a code of its own here.
  const name = requiredText(asObject(value ?? {}), 'agentName', codes, 1024)
  // In a place for "id or name" such a name could never be meant.
  if (isUuidV7(name)) refuse('AGENT_NAME_CANNOT_BE_UUID', 'agentName')
  return name
}

export function parseAgentKey(identifier: string): { id: string } | { agentName: string } {
  return isUuidV7(identifier) ? { id: identifier.toLowerCase() } : { agentName: identifier }
}

/** Renders an AgentRegistration (contract §2.7): the one answer that holds the private key. */
export function renderRegistration({ id, name, publicKey, privateKey, createdAt }: RegisteredAgent): object {
  return {
    agentId: id,
    agentName: name,
    publicKey: base64(publicKey),
    privateKey: base64(privateKey),
    createdAt: createdAt.toISOString(),
  }
}

/** Renders an Agent (contract §2.7), with roles and version. */
export function renderAgent({ id, name, public_key, created_at, bindings, row_version }: Profile): object {
  return {
    id,
    agentName: name,
    publicKey: base64(public_key ?? ''),
    createdAt: created_at.toISOString(),
    roles: renderRoles(bindings),
    concurrencyControl: { version: row_version },
  }
}

function base64(pem: string): string {
  return Buffer.from(pem).toString('base64')
}

const pemSchema = Type.String({ description: 'Base64 of a PEM text.' })

export const registerAgentSchema = {
  summary: 'Register an agent; its private key is shown this once',
  tags: ['agents'],
  body: Type.Object({ agentName: Type.String({ minLength: 1, maxLength: 1024 }) }),
  response: answers({
    201: Type.Object({
      agentId: uuidSchema,
      agentName: Type.String(),
      publicKey: pemSchema,
      privateKey: pemSchema,
      createdAt: timestampSchema,
    }),
  }),
}

export const listAgentsSchema = {
  summary: 'Agents, oldest first',
  tags: ['agents'],
  querystring: Type.Object(pageQuery),
  response: answers({
    200: Type.Object({
      agents: Type.Array(Type.Object({ id: uuidSchema, name: Type.String() })),
      pagination: paginationSchema,
    }),
  }),
}

export const getAgentSchema = {
  summary: 'One agent, by id or name',
  tags: ['agents'],
  response: answers({
    200: Type.Object({
      id: uuidSchema,
      agentName: Type.String(),
      publicKey: pemSchema,
      createdAt: timestampSchema,
      roles: Type.Array(roleItemSchema),
      concurrencyControl: concurrencyControlSchema,
    }),
  }),
}
