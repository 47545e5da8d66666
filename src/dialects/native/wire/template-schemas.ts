import { Type, type TSchema } from 'typebox'
import { paginationSchema } from './pages.ts'
import { answers, noBody } from './schemas.ts'

const anyObject = (description: string) => Type.Object({}, { additionalProperties: true, description })
const uuid = Type.String({ format: 'uuid' })
const instant = Type.String({ format: 'date-time' })

/** A rule refers to itself, which not every reader of the description can follow: it is told in words, and passed as it is. */
const rule = anyObject(
  'An approval rule: {"type": "AND" | "OR", "rules": […]}, {"type": "GROUP_REQUIREMENT", "groupId", "minCount", ' +
    '"requireHighPrivilege"?, ours: "requireSignature"?} or, ours, {"type": "AT_LEAST", "count", "rules": […]}.',
)
export const actionSchema = anyObject(
  'What happens after a decision: {"type": "EMAIL", "recipients"}, {"type": "WEBHOOK", "url", "method"?, "headers"?, "redact"?} ' +
    'or {"type": "SLACK", "webhookUrl"}, each with "on"?: the decisions it runs after, approval alone when absent.',
)

const status = Type.Enum(['ACTIVE', 'PENDING_DEPRECATION', 'DEPRECATED'])
const hours = Type.Integer({ minimum: 1, maximum: 8760 })
const description = Type.String({ maxLength: 2048 })

const stages = Type.Array(
  Type.Object({ name: Type.Optional(Type.String()), advisory: Type.Optional(Type.Boolean()), approvalRule: rule }),
  { description: 'Ours: ordered stages in place of approvalRule. An advisory one is collected and closed by command.' },
)

const options = Type.Object(
  {
    requesterMayVote: Type.Optional(Type.Boolean({ default: true })),
    distinctPeople: Type.Optional(Type.Boolean({ default: false })),
    naturalPersons: Type.Optional(Type.Boolean({ default: false })),
    recheckEligibility: Type.Optional(Type.Boolean({ default: true })),
    veto: Type.Optional(Type.Enum(['withdrawable', 'final', 'ignored'])),
  },
  { description: 'Ours: how votes are counted.' },
)

const concurrencyControl = Type.Object({ version: Type.String({ description: 'A 64-bit integer, opaque.' }) })

export const TemplateSchema = Type.Object({
  id: uuid,
  name: Type.String(),
  version: Type.String(),
  description: Type.Optional(Type.String()),
  status,
  allowVotingOnDeprecatedTemplate: Type.Boolean(),
  approvalRule: rule,
  stages: Type.Optional(stages),
  options: Type.Optional(options),
  metadata: anyObject('Whatever was sent.'),
  actions: Type.Array(actionSchema, { description: 'With secrets shown as ***.' }),
  defaultExpiresInHours: Type.Optional(hours),
  spaceId: Type.Optional(uuid),
  createdAt: instant,
  updatedAt: instant,
  concurrencyControl,
})

const WrittenTemplateSchema = Type.Object({
  ...TemplateSchema.properties,
  warnings: Type.Optional(
    Type.Array(Type.Object({ path: Type.String(), message: Type.String() }), {
      description: 'Ours: what in the rules nobody can satisfy today.',
    }),
  ),
})

const changes = {
  description: Type.Optional(description),
  metadata: Type.Optional(anyObject('Kept and given back as it is.')),
  actions: Type.Optional(Type.Array(actionSchema)),
  defaultExpiresInHours: Type.Optional(hours),
  approvalRule: Type.Optional(rule),
  stages: Type.Optional(stages),
  options: Type.Optional(options),
}

const cancelWorkflows = Type.Optional(
  Type.Boolean({ default: false, description: 'Cancel the open workflows of the version that goes out of use.' }),
)

const repeatable = (item: TSchema) => Type.Optional(Type.Array(item))
const tags = ['Workflow templates']

export const createTemplate = {
  tags,
  summary: 'Create a workflow template',
  body: Type.Object({ name: Type.String({ minLength: 3, maxLength: 512 }), spaceId: uuid, ...changes }),
  response: answers({ 201: WrittenTemplateSchema }),
}

export const listTemplates = {
  tags,
  summary: 'List workflow templates, active ones unless told otherwise',
  querystring: Type.Object({
    page: Type.Optional(Type.Integer({ minimum: 1, default: 1 })),
    limit: Type.Optional(Type.Integer({ minimum: 1, default: 20 })),
    spaceIdentifier: Type.Optional(Type.String({ description: 'Id or name of a space.' })),
    search: Type.Optional(Type.String({ description: 'Part of a name, whatever its case, or a whole one.' })),
    searchMode: Type.Optional(Type.Enum(['CONTAINS', 'EXACT'])),
    status: repeatable(status),
    sortBy: repeatable(Type.Enum(['VERSION', 'UPDATED_AT', 'CREATED_AT'])),
    sortDirection: repeatable(Type.Enum(['ASC', 'DESC'])),
  }),
  response: answers({
    200: Type.Object({
      data: Type.Array(
        Type.Object({
          id: uuid,
          name: Type.String(),
          version: Type.String(),
          description: Type.Optional(Type.String()),
          status,
          createdAt: instant,
          updatedAt: instant,
        }),
      ),
      pagination: paginationSchema,
    }),
  }),
}

export const getTemplate = {
  tags,
  summary: 'Read a workflow template: a version by its id, the active or else the newest one by name',
  response: answers({ 200: TemplateSchema }),
}

export const updateTemplate = {
  tags,
  summary: 'Write the next version of a workflow template; what is left out is copied',
  body: Type.Object({ ...changes, cancelWorkflows, concurrencyControl: Type.Optional(concurrencyControl) }),
  response: answers({ 200: WrittenTemplateSchema }),
}

export const deprecateTemplate = {
  tags,
  summary: 'Take a workflow template out of use',
  body: Type.Object({ cancelWorkflows }),
  response: answers({ 200: TemplateSchema }),
}

export const deleteTemplate = {
  tags,
  summary: 'Delete every version of a workflow template, with its workflows',
  response: answers({ 204: noBody }),
}
