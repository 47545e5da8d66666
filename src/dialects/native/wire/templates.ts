import { redactAction } from '../../../approvals/action-secrets.ts'
import type { NewPolicy, WrittenPolicy } from '../../../approvals/create-policy.ts'
import type { PolicyChanges } from '../../../approvals/update-policy.ts'
import type { PolicyWarning } from '../../../approvals/policy-warnings.ts'
import type { OpenPolicy, PolicyBehaviour, PolicyRules, Written } from '../../../approvals/policy.ts'
import type { Policy, PolicyOptions } from '../../../kernel/rule.ts'
import { parseActions, parseNewActions } from './actions.ts'
import { isUuidV7 } from './ids.ts'
import { asObject, optionalText, refuse, requireModest, type JsonObject } from './read.ts'
import { parseRule, renderRule, ruleBudget, toKernelRule, usesAtLeast, type WireRule } from './rules.ts'

const maxNameLength = 512
const maxDescriptionLength = 2048
const maxHours = 8760
const maxStages = 10
const maxStageNameLength = 512

/** Reads a WorkflowTemplateCreate (contract §1.5, §2.2). @throws AppError with the codes of those sections */
export function parseNewTemplate(body: unknown): NewPolicy {
  const template = asObject(body)
  return {
    name: parseName(template),
    description: parseDescription(template),
    defaultExpiresInHours: parseHours(template) ?? null,
    spaceId: parseSpaceId(template),
    metadata: parseMetadata(template) ?? {},
    rules: parseRules(template) ?? refuse('APPROVAL_RULE_INVALID_RULE_TYPE', 'approvalRule'),
    behaviour: parseOptions(template) ?? { written: null, options: defaultOptions },
    actions: parseNewActions(template['actions']),
  }
}

/** Reads a WorkflowTemplateUpdate. What is absent is copied from the version before. */
export function parseTemplateUpdate(body: unknown): PolicyChanges {
  const template = asObject(body)
  return {
    description: parseDescription(template) ?? undefined,
    defaultExpiresInHours: parseHours(template),
    metadata: parseMetadata(template),
    rules: parseRules(template),
    behaviour: parseOptions(template),
    actions: isAbsent(template['actions']) ? undefined : parseActions(template['actions']),
    cancels: parseCancelWorkflows(template),
    expected: parseConcurrencyControl(template),
  }
}

/** Reads the body of a deprecation, which may be missing. */
export function parseDeprecation(body: unknown): { cancels: boolean } {
  return { cancels: !isAbsent(body) && parseCancelWorkflows(asObject(body)) }
}

function parseCancelWorkflows({ cancelWorkflows: cancels }: JsonObject): boolean {
  if (isAbsent(cancels)) return false
  return typeof cancels === 'boolean'
    ? cancels
    : refuse('WORKFLOW_TEMPLATE_CANCEL_WORKFLOWS_INVALID', 'cancelWorkflows')
}

/** A version that is no integer is told last of all, once the template is known to be there (contract §1.5). */
function parseConcurrencyControl({ concurrencyControl: control }: JsonObject): PolicyChanges['expected'] {
  if (isAbsent(control)) return undefined
  const version: unknown = (control as JsonObject)['version']
  return typeof version === 'string' && /^-?[0-9]{1,19}$/.test(version) ? BigInt(version) : 'malformed'
}

function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null
}

function parseName({ name }: JsonObject): string {
  if (typeof name !== 'string' || name.trim() === '') return refuse('WORKFLOW_TEMPLATE_NAME_EMPTY', 'name')
  if (name.length > maxNameLength) return refuse('WORKFLOW_TEMPLATE_NAME_TOO_LONG', 'name')
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_\-\s]+[a-zA-Z0-9]$/.test(name)) {
    return refuse('WORKFLOW_TEMPLATE_NAME_INVALID_CHARACTERS', 'name')
  }
  return name
}

function parseDescription(template: JsonObject): string | null {
  const codes = { type: 'MALFORMED_REQUEST', tooLong: 'WORKFLOW_TEMPLATE_DESCRIPTION_TOO_LONG' } as const
  return optionalText(template, 'description', codes, maxDescriptionLength)
}

function parseHours({ defaultExpiresInHours: hours }: JsonObject): number | undefined {
  if (isAbsent(hours)) return undefined
  if (!Number.isInteger(hours) || Number(hours) < 1 || Number(hours) > maxHours) {
    return refuse('WORKFLOW_TEMPLATE_EXPIRES_IN_HOURS_INVALID', 'defaultExpiresInHours')
  }
  return Number(hours)
}

function parseSpaceId({ spaceId }: JsonObject): string {
  return isUuidV7(spaceId) ? spaceId.toLowerCase() : refuse('WORKFLOW_TEMPLATE_SPACE_ID_INVALID_UUID', 'spaceId')
}

function parseMetadata({ metadata }: JsonObject): JsonObject | undefined {
  if (isAbsent(metadata)) return undefined
  const known = asObject(metadata, 'WORKFLOW_TEMPLATE_METADATA_INVALID', 'metadata')
  requireModest(known, 'WORKFLOW_TEMPLATE_METADATA_INVALID', 'metadata')
  return known
}

/** What a template's rules look like as they travel: the contract's one rule, or our stages. */
type WireRules =
  | { readonly approvalRule: WireRule }
  | { readonly stages: readonly { name?: string; advisory?: boolean; approvalRule: WireRule }[] }

/** The rule or the stages; undefined when neither was sent. */
function parseRules({ approvalRule, stages }: JsonObject): PolicyRules | undefined {
  if (!isAbsent(stages)) {
    if (!isAbsent(approvalRule)) return refuse('WORKFLOW_TEMPLATE_STAGES_INVALID', 'stages')
    return parseStages(stages)
  }
  if (isAbsent(approvalRule)) return undefined
  const rule = parseRule(approvalRule, 'approvalRule', ruleBudget({ extended: usesAtLeast(approvalRule) }))
  const written: WireRules = { approvalRule: rule }
  return { written, stages: [{ binding: true, rule: toKernelRule(rule) }] }
}

function parseStages(value: unknown): PolicyRules {
  if (!Array.isArray(value) || value.length === 0 || value.length > maxStages) {
    return refuse('WORKFLOW_TEMPLATE_STAGES_INVALID', 'stages')
  }
  const budget = ruleBudget({ extended: true })
  const stages = value.map((each: unknown, index) => {
    const field = `stages[${index}]`
    const { name, advisory, approvalRule } = asObject(each, 'WORKFLOW_TEMPLATE_STAGES_INVALID', field)
    if (name !== undefined && (typeof name !== 'string' || name.length > maxStageNameLength)) {
      return refuse('WORKFLOW_TEMPLATE_STAGES_INVALID', `${field}.name`)
    }
    if (advisory !== undefined && typeof advisory !== 'boolean') {
      return refuse('WORKFLOW_TEMPLATE_STAGES_INVALID', `${field}.advisory`)
    }
    return {
      ...(name !== undefined && { name }),
      ...(advisory !== undefined && { advisory }),
      approvalRule: parseRule(approvalRule, `${field}.approvalRule`, budget),
    }
  })
  if (stages.every(({ advisory }) => advisory === true)) refuse('WORKFLOW_TEMPLATE_STAGES_INVALID', 'stages')
  const written: WireRules = { stages }
  return {
    written,
    stages: stages.map(({ name, advisory, approvalRule }) => ({
      ...(name !== undefined && { name }),
      binding: advisory !== true,
      rule: toKernelRule(approvalRule),
    })),
  }
}

type WireOptions = Omit<PolicyOptions, 'vetoNeedsAssurance'>

const wireDefaults: WireOptions = {
  requesterMayVote: true,
  distinctPeople: false,
  naturalPersons: false,
  recheckEligibility: true,
  veto: 'withdrawable',
}

// A "no" is protected like a "yes" on this wire, always (contract §3.4).
const defaultOptions: PolicyOptions = { ...wireDefaults, vetoNeedsAssurance: true }
const vetoes: readonly unknown[] = ['withdrawable', 'final', 'ignored'] satisfies PolicyOptions['veto'][]

/** Our `options`; undefined when none were sent. What they leave out has its default. */
function parseOptions({ options }: JsonObject): PolicyBehaviour | undefined {
  if (isAbsent(options)) return undefined
  const sent = Object.entries(asObject(options, 'WORKFLOW_TEMPLATE_OPTIONS_INVALID', 'options'))
  const bad = sent.find(([name, value]) => !isOption(name, value))
  if (bad !== undefined) refuse('WORKFLOW_TEMPLATE_OPTIONS_INVALID', `options.${bad[0]}`)
  const written: WireOptions = { ...wireDefaults, ...Object.fromEntries(sent) }
  return { written, options: { ...written, vetoNeedsAssurance: true } }
}

function isOption(name: string, value: unknown): boolean {
  if (!Object.hasOwn(wireDefaults, name)) return false
  return name === 'veto' ? vetoes.includes(value) : typeof value === 'boolean'
}

/**
 * What a template's own wording, as it is stored, decides by.
 * @throws AppError when this wire would not write it
 */
export function decidedBy(written: unknown): Policy {
  const { rules, options } = asObject(written) as Partial<Written>
  const { stages } = parseRules(asObject(rules)) ?? refuse('APPROVAL_RULE_INVALID_RULE_TYPE', 'rules')
  return { stages, options: parseOptions({ options })?.options ?? defaultOptions }
}

export const templateStatus = {
  active: 'ACTIVE',
  'pending-deprecation': 'PENDING_DEPRECATION',
  deprecated: 'DEPRECATED',
} as const satisfies Record<OpenPolicy['status'], string>

/** Renders a WorkflowTemplate (contract §2.2), secrets hidden. */
export function renderTemplate(policy: OpenPolicy): object {
  return {
    id: policy.id,
    name: policy.name,
    version: String(policy.version),
    ...(policy.description !== null && { description: policy.description }),
    status: templateStatus[policy.status],
    allowVotingOnDeprecatedTemplate: policy.takes_votes_when_inactive,
    ...renderRules(policy.written.rules as WireRules),
    ...(policy.written.options !== null && { options: policy.written.options }),
    metadata: policy.metadata,
    actions: policy.actions.map(redactAction),
    ...(policy.default_expires_in_hours !== null && { defaultExpiresInHours: policy.default_expires_in_hours }),
    ...(policy.space_id !== null && { spaceId: policy.space_id }),
    createdAt: policy.created_at.toISOString(),
    updatedAt: policy.updated_at.toISOString(),
    concurrencyControl: { version: policy.row_version },
  }
}

/** A stock client expects one rule: of stages it is shown the first that binds. */
function renderRules(rules: WireRules): object {
  if ('approvalRule' in rules) return { approvalRule: renderRule(rules.approvalRule) }
  const stages = rules.stages.map(({ name, advisory, approvalRule }) => ({
    ...(name !== undefined && { name }),
    ...(advisory !== undefined && { advisory }),
    approvalRule: renderRule(approvalRule),
  }))
  const binding = stages.find(({ advisory }) => advisory !== true)
  return { approvalRule: binding?.approvalRule, stages }
}

/** A template that was just written, with what nobody can satisfy today. */
export function renderWrittenTemplate({ policy, warnings }: WrittenPolicy): object {
  const isStaged = 'stages' in policy.written.rules
  return {
    ...renderTemplate(policy),
    ...(warnings.length > 0 && { warnings: warnings.map((warning) => renderWarning(warning, isStaged)) }),
  }
}

function renderWarning({ path, needed, available }: PolicyWarning, isStaged: boolean): object {
  return {
    path: wirePath(path, isStaged),
    message: `Nobody can satisfy this today: it needs ${needed}, and there ${available === 1 ? 'is' : 'are'} ${available}.`,
  }
}

/** `stages[0].rule.of[2]` in the members that this wire has. */
function wirePath(path: string, isStaged: boolean): string {
  const [stage = '', ...below] = path.split('.')
  const inRule = below.slice(1).map((step) => step.replace('of[', 'rules['))
  return [...(isStaged ? [stage] : []), 'approvalRule', ...inRule].join('.')
}
