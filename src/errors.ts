import { signInCodes } from './errors/sign-in.ts'

/**
 * Every refusal Quorate can give, with what it means for the person who reads it. A code says what is wrong, never how a
 * dialect words or numbers it: each dialect has one table from these codes to its own. `docs/errors.md` lists the same set.
 */
export const errorCodes = {
  ...signInCodes,
  // Everyone
  INVALID_MEMBER: 'A member of the body or the query has a value that is not accepted; the answer names it.',
  UNKNOWN_ERROR: 'A fault on our side; the log has the details.',
  NOT_FOUND: 'No such route.',
  METHOD_NOT_ALLOWED: 'The route does not take this method.',
  MALFORMED_REQUEST: 'The body is not JSON, or not of the shape that the call needs.',
  MALFORMED_OBJECT: 'The body is not a JSON object.',
  BODY_TOO_LARGE: 'The body is larger than 1 MiB.',
  INVALID_IDEMPOTENCY_KEY: 'Idempotency-Key is empty, longer than 255 characters or not printable ASCII.',
  IDEMPOTENCY_KEY_REUSED: 'This Idempotency-Key was used before with another request.',
  IDEMPOTENCY_KEY_IN_PROGRESS: 'The first call with this Idempotency-Key has not finished yet; try again.',
  TOO_MANY_REQUESTS: 'The caller has made more calls than allowed; Retry-After says when to try again.',
  SERVICE_UNAVAILABLE: 'A lever blocks this call, or the store cannot be reached.',
  CONFIGURATION_INVALID: 'The environment does not make a working configuration; the server does not start.',
  STORE_LOCKED: 'Another process is using the data directory; the server does not start.',
  // Lists
  INVALID_PAGE: 'page must be a whole number from 1 up.',
  INVALID_LIMIT: 'limit must be a whole number from 1 up.',
  INVALID_PAGE_NUMBER: 'page must be a whole number from 1 up.',
  INVALID_LIMIT_NUMBER: 'limit must be a whole number from 1 to 100.',
  INVALID_NUMBER_FORMAT: 'page and limit must be numbers.',
  INVALID_SEARCH: 'search must be a single text.',
  SEARCH_TOO_LONG: 'search is longer than 100 characters.',
  SEARCH_TERM_INVALID_CHARACTERS: 'search holds a character that is not allowed, or only blanks.',
  INVALID_ORDER_BY: 'orderBy names a field or direction that does not exist.',
  DUPLICATE_ORDER_BY_FIELDS: 'orderBy names a field twice.',
  TOO_MANY_ORDER_BY_ITEMS: 'orderBy has more items than allowed.',
  // Workflows
  NAME_MISSING: 'name is needed.',
  NAME_NOT_STRING: 'name must be a text.',
  DESCRIPTION_NOT_STRING: 'description must be a text.',
  METADATA_MALFORMED: 'metadata must be an object whose values are texts.',
  WORKFLOW_TEMPLATE_ID_MISSING: 'workflowTemplateId is needed.',
  WORKFLOW_TEMPLATE_ID_NOT_STRING: 'workflowTemplateId must be a text.',
  WORKFLOW_NAME_EMPTY: 'name is blank.',
  WORKFLOW_NAME_TOO_LONG: 'name is longer than 512 characters.',
  WORKFLOW_NAME_INVALID_CHARACTERS: 'name may hold letters, digits, hyphens and underscores.',
  WORKFLOW_DESCRIPTION_TOO_LONG: 'description is longer than 2048 characters.',
  WORKFLOW_WORKFLOW_TEMPLATE_ID_INVALID_UUID: 'workflowTemplateId must be a UUID of version 7.',
  REFERENCED_WORKFLOW_TEMPLATE_NOT_FOUND: 'The body names a template that does not exist.',
  WORKFLOW_TEMPLATE_NOT_ACTIVE: 'The template version is not the active one.',
  WORKFLOW_ALREADY_EXISTS: 'A workflow of this name exists already.',
  WORKFLOW_NOT_FOUND: 'No such workflow.',
  INVALID_INCLUDE: 'include must be workflow-template.',
  REQUEST_INVALID_INCLUDE: 'include must be workflow-template.',
  INVALID_INCLUDE_ONLY_NON_TERMINAL_STATE: 'includeOnlyNonTerminalState must be true or false.',
  INVALID_WORKFLOW_TEMPLATE_IDENTIFIER: "workflowTemplateIdentifier must be a template's id or name.",
  INVALID_INCLUDE_GROUPS: 'includeGroups must hold UUIDs of groups.',
  INVALID_WAIT: 'wait must be a number of seconds.',
  // Votes
  VOTE_TYPE_MISSING: 'voteType is needed.',
  VOTE_TYPE_MALFORMED: 'voteType must be an object with a type.',
  VOTE_TYPE_INVALID: 'voteType.type must be APPROVE, VETO or WITHDRAW.',
  VOTED_FOR_GROUPS_MISSING: 'voteType.votedForGroups is needed to approve.',
  VOTED_FOR_GROUPS_INVALID: 'voteType.votedForGroups must be a list of texts.',
  REASON_INVALID: 'reason must be a text.',
  VOTE_REASON_TOO_LONG: 'reason is longer than 1024 characters.',
  VOTE_INVALID_GROUP_ID: 'voteType.votedForGroups holds something that is not a UUID of version 7.',
  VOTE_INVALID_WORKFLOW_ID: 'The workflow id is malformed.',
  ENTITY_NOT_ELIGIBLE_TO_VOTE:
    'The caller does not hold the right to vote here, or asked for this approval and may not give it.',
  STEP_UP_CONTEXT_MISSING: 'This vote needs a fresh sign-in: send a step-up token.',
  STEP_UP_OPERATION_MISMATCH: 'The step-up token is for another operation.',
  STEP_UP_RESOURCE_MISMATCH: 'The step-up token is for another workflow.',
  STEP_UP_TOKEN_ALREADY_USED: 'The step-up token was spent already.',
  ENTITY_NOT_SUPPORTED: 'The caller can never give the proof that this seat needs.',
  FACTOR_MISSING: 'This vote needs the password of the voter, or their security key, beside it.',
  FACTOR_WRONG: 'The password is wrong, or what the security key signed does not verify.',
  SECURITY_KEY_MISSING: 'The person has no security key that could sign this.',
  SECURITY_KEY_REFUSED:
    'The security key cannot be registered: its answer does not verify, or it is of a kind that is not taken.',
  SECURITY_KEY_NOT_FOUND: 'The person has no security key of this name.',
  SECURITY_KEY_ALREADY_EXISTS: 'This security key is registered already, or the person has another of this name.',
  VOTE_SIGNATURE_MISSING: 'This vote must be signed by the agent: send a signature.',
  VOTE_SIGNATURE_MALFORMED: 'signature is not of the form that is asked for.',
  VOTE_SIGNATURE_INVALID: 'The signature is not one of this agent over this vote.',
  VOTE_SIGNATURE_EXPIRED: 'The signature was not made just now.',
  VOTE_SIGNATURE_REUSED: 'The nonce of the signature was used before.',
  WORKFLOW_ALREADY_APPROVED: 'The workflow is approved; nothing changes it any more.',
  WORKFLOW_CANCELLED: 'The workflow is canceled; nothing changes it any more.',
  WORKFLOW_EXPIRED: 'The workflow has expired; nothing changes it any more.',
  WORKFLOW_ALREADY_REJECTED: 'The workflow is rejected for good, as its template says of a veto.',
  ENTITY_NOT_IN_REQUIRED_GROUP: 'The caller is not in a group that this vote needs.',
  VOTING_CLOSED: 'The template version takes no more votes.',
  STAGE_NOT_ADVISORY: 'The open stage is binding: only votes pass it.',
  VETO_STANDS: 'A veto stands in the open stage; it must be withdrawn first.',
  NO_FREE_SEAT: 'Every seat of the caller in the open stage has its voters.',
  ALREADY_VOTED: 'The caller has voted in the open stage, where each votes once.',
  VOTE_IS_FINAL: 'Under this rule no vote is taken back.',
  STAGE_NOT_OPEN: 'The vote is for a stage that is not the open one.',
  STALE_DIGEST: 'The vote was cast on content that has changed since; read it again.',
  WORKFLOW_NOT_DECIDED: 'There is a receipt once the workflow is decided.',
  RECEIPT_UNAVAILABLE: 'The workflow was opened before the log told enough of it for a receipt.',
  // Templates
  WORKFLOW_TEMPLATE_NAME_EMPTY: 'name is blank.',
  WORKFLOW_TEMPLATE_NAME_TOO_LONG: 'name is longer than 512 characters.',
  WORKFLOW_TEMPLATE_NAME_INVALID_CHARACTERS:
    'name needs three characters: letters, digits, spaces, hyphens and underscores, with a letter or digit at both ends.',
  WORKFLOW_TEMPLATE_DESCRIPTION_TOO_LONG: 'description is longer than 2048 characters.',
  WORKFLOW_TEMPLATE_EXPIRES_IN_HOURS_INVALID: 'defaultExpiresInHours must be a whole number from 1 to 8760.',
  WORKFLOW_TEMPLATE_SPACE_ID_INVALID_UUID: 'spaceId must be a UUID of version 7.',
  WORKFLOW_TEMPLATE_METADATA_INVALID: 'metadata must be an object.',
  WORKFLOW_TEMPLATE_OPTIONS_INVALID: 'options holds an unknown member or a value of the wrong type.',
  WORKFLOW_TEMPLATE_STAGES_INVALID:
    'stages must hold 1 to 10 stages, each with a rule, at least one of them binding, in place of approvalRule.',
  WORKFLOW_TEMPLATE_CANCEL_WORKFLOWS_INVALID: 'cancelWorkflows must be true or false.',
  REFERENCED_SPACE_NOT_FOUND: 'The body names a space that does not exist.',
  WORKFLOW_TEMPLATE_ALREADY_EXISTS: 'A template of this name exists already, or existed once.',
  WORKFLOW_TEMPLATE_NOT_FOUND: 'No such template.',
  ACTIVE_WORKFLOW_TEMPLATE_NOT_FOUND: 'No active version of this template exists.',
  NO_ACTIVE_WORKFLOW_TEMPLATE_TO_DEPRECATE: 'No active version of this template exists.',
  CONCURRENCY_ERROR: 'Someone else changed this at the same moment; read it again.',
  CONCURRENT_MODIFICATION_ERROR: 'Someone else changed this at the same moment; read it again.',
  INVALID_CONCURRENCY_CONTROL: 'concurrencyControl.version must be a whole number as text.',
  APPROVAL_RULE_INVALID_RULE_TYPE: 'A rule must be an object whose type is AND, OR, GROUP_REQUIREMENT or AT_LEAST.',
  APPROVAL_RULE_AND_RULE_MUST_HAVE_RULES: 'An AND rule needs a non-empty list of rules.',
  APPROVAL_RULE_OR_RULE_MUST_HAVE_RULES: 'An OR rule needs a non-empty list of rules.',
  APPROVAL_RULE_AT_LEAST_RULE_MUST_HAVE_RULES: 'An AT_LEAST rule needs a non-empty list of rules.',
  APPROVAL_RULE_AT_LEAST_RULE_INVALID_COUNT: 'An AT_LEAST rule needs a count from 1 to the number of its rules.',
  APPROVAL_RULE_GROUP_RULE_INVALID_GROUP_ID: 'groupId must be a UUID of version 7.',
  APPROVAL_RULE_GROUP_RULE_INVALID_MIN_COUNT: 'minCount must be a whole number from 1 up.',
  APPROVAL_RULE_MAX_RULE_NESTING_EXCEEDED: 'The rule is nested deeper than allowed.',
  APPROVAL_RULE_MALFORMED_CONTENT: 'requireHighPrivilege must be true or false.',
  APPROVAL_RULE_TOO_LARGE:
    'The rule has more than 1000 nodes, more than 64 KiB, or too many leaves for distinctPeople.',
  WORKFLOW_ACTION_TYPE_INVALID: 'An action must be an object whose type is EMAIL, WEBHOOK or SLACK.',
  WORKFLOW_ACTION_RECIPIENTS_EMPTY: 'recipients must be a non-empty list.',
  WORKFLOW_ACTION_RECIPIENTS_INVALID_EMAIL: 'recipients must hold one to five e-mail addresses.',
  WORKFLOW_ACTION_URL_INVALID: 'url must be an http or https URL.',
  WORKFLOW_ACTION_METHOD_INVALID: 'method must be POST, PUT or GET.',
  WORKFLOW_ACTION_HEADERS_INVALID: 'headers must be an object whose values are texts.',
  WORKFLOW_ACTION_REDACT_INVALID: 'redact must be HEADERS, URL or ALL.',
  WORKFLOW_ACTION_WEBHOOK_URL_INVALID: 'webhookUrl must be an https URL on hooks.slack.com.',
  WORKFLOW_ACTION_ON_INVALID: 'on must be a non-empty list of APPROVED, REJECTED, EXPIRED and CANCELED.',
  INVALID_SEARCH_MODE: 'searchMode must be CONTAINS or EXACT.',
  INVALID_SEARCH_LENGTH: 'search is too short: three characters, or one with searchMode EXACT.',
  INVALID_SPACE_IDENTIFIER: "spaceIdentifier must be a space's id or name.",
  INVALID_STATUS: 'status must be ACTIVE, PENDING_DEPRECATION or DEPRECATED.',
  INVALID_SORT_BY: 'sortBy must be VERSION, UPDATED_AT or CREATED_AT.',
  INVALID_SORT_DIRECTION: 'sortDirection must be ASC or DESC.',
  SORT_DIRECTION_WITHOUT_SORT_BY: 'sortDirection needs sortBy.',
  SORT_DIRECTION_LENGTH_MISMATCH: 'sortDirection has more items than sortBy.',
  // Users, agents and roles
  USER_DISPLAY_NAME_EMPTY: 'displayName is missing or blank.',
  USER_DISPLAY_NAME_TOO_LONG: 'displayName is longer than 255 characters.',
  USER_EMAIL_EMPTY: 'email is missing or blank.',
  USER_EMAIL_TOO_LONG: 'email is longer than 255 characters.',
  USER_EMAIL_INVALID: 'email is not an e-mail address.',
  USER_ORG_ROLE_INVALID: 'orgRole must be admin or member.',
  USER_ALREADY_EXISTS: 'A user with this e-mail address exists already.',
  USER_NOT_FOUND: 'No such user.',
  REFERENCED_USER_NOT_FOUND: 'The body names a user who does not exist.',
  USER_CANNOT_DISABLE_SELF: 'Nobody can disable themselves.',
  REQUEST_INVALID_USER_IDENTIFIER: 'A user is named by id or e-mail address.',
  AGENT_NAME_EMPTY: 'agentName is missing or blank.',
  AGENT_NAME_TOO_LONG: 'agentName is longer than 1024 characters.',
  AGENT_NAME_CANNOT_BE_UUID: 'agentName must not look like an id.',
  AGENT_NAME_ALREADY_EXISTS: 'An agent of this name exists already.',
  AGENT_NOT_FOUND: 'No such agent.',
  REFERENCED_AGENT_NOT_FOUND: 'The body names an agent that does not exist.',
  AGENT_PUBLIC_KEY_INVALID:
    'publicKey must be base64 of a PEM with a new RSA public key of 3072 to 8192 bits and exponent 65537.',
  MISSING_ROLES: 'roles is needed.',
  INVALID_ROLES: 'roles must be a non-empty list of items, each with a roleName and a scope.',
  ROLE_ASSIGNMENTS_EXCEED_MAXIMUM: 'roles has more than 128 items.',
  ROLE_UNKNOWN_ROLE_NAME: 'No role of this name exists.',
  ROLE_SCOPE_INCOMPATIBLE_WITH_TEMPLATE: 'This role cannot be given at this kind of scope.',
  ROLE_INVALID_SCOPE: "The scope's type is unknown.",
  ROLE_ENTITY_TYPE_ROLE_RESTRICTION: 'An agent may only hold workflow template roles.',
  ROLE_TOTAL_ROLES_EXCEED_MAXIMUM: 'A user may hold at most 128 roles.',
  AGENT_ROLE_TOTAL_ROLES_EXCEED_MAXIMUM: 'An agent may hold at most 128 roles.',
  // Roles, local users and API clients of the role store
  ACCESS_ROLE_NOT_FOUND: 'No such role.',
  ACCESS_ROLE_ALREADY_EXISTS: 'A role of this name exists already.',
  ROLE_HELD_ALREADY: 'The role is held for good already.',
  ROLE_NOT_HELD: 'The role is not held by a grant that could be taken away.',
  ACTIVE_REQUESTS_EXCEEDED: 'There are as many open requests for this role and person as the workflow allows.',
  ACCESS_ROLE_IS_SYSTEM:
    'The role belongs to the server; it keeps its name and its permissions, and cannot be deleted.',
  LOCAL_USER_NOT_FOUND: 'No such local user.',
  LOCAL_USER_ALREADY_EXISTS: 'A local user of this name exists already.',
  API_CLIENT_NOT_FOUND: 'No such API client.',
  // API keys
  API_KEY_NAME_EMPTY: 'name is missing or blank.',
  API_KEY_NAME_TOO_LONG: 'name is longer than 255 characters.',
  API_KEY_PRINCIPAL_ID_INVALID: 'principalId must be a UUID.',
  API_KEY_SCOPES_INVALID:
    'scopes must be a non-empty list of native:read, native:write, privx, fortanix and govern, none of them twice.',
  API_KEY_EXPIRES_AT_INVALID: 'expiresAt must be a timestamp in the future, at most 365 days ahead.',
  API_KEY_GRACE_SECONDS_INVALID: 'graceSeconds must be a whole number from 0 to 86400.',
  PRINCIPAL_NOT_FOUND: 'The body names a principal who does not exist, or is disabled.',
  API_KEY_NOT_FOUND: 'No such API key.',
  API_KEY_NOT_ACTIVE: 'The API key is revoked or has expired; make a new one.',
  // Keys that sign webhooks
  WEBHOOK_KEY_OVERLAP_HOURS_INVALID: 'overlapHours must be a whole number from 0 to 720.',
  WEBHOOK_KEY_NOT_FOUND: 'No such key signs webhooks now.',
  WEBHOOK_KEY_IS_LAST: 'Nothing would sign webhooks; make a new key with overlapHours 0 in its place.',
  // Deliveries and test sends
  INVALID_DELIVERY_STATUS: 'status must be PENDING, COMPLETED or ERROR.',
  INVALID_DELIVERY_TYPE: 'type must be EMAIL, WEBHOOK or SLACK.',
  INVALID_WORKFLOW_ID: 'workflowId must be a UUID.',
  INVALID_REQUEUE_LIMIT: 'limit must be a whole number from 1 to 1000.',
  DELIVERY_NOT_FOUND: 'No such delivery.',
  DELIVERY_NOT_FAILED: 'Only a delivery that has failed can be sent again.',
  ACTION_INDEX_INVALID: 'index must be the place of an action in the template, counted from 0.',
  // Groups and spaces
  GROUP_NAME_EMPTY: 'name is missing or blank.',
  GROUP_NAME_TOO_LONG: 'name is longer than 512 characters.',
  GROUP_NAME_INVALID_CHARACTERS:
    'name may hold letters, digits and hyphens; it starts with a letter and does not end with a hyphen.',
  GROUP_DESCRIPTION_TOO_LONG: 'description is longer than 2048 characters.',
  GROUP_ALREADY_EXISTS: 'A group of this name exists already.',
  GROUP_NOT_FOUND: 'No such group.',
  REQUEST_INVALID_GROUP_UUID: "The group's id must be a UUID.",
  REQUEST_INVALID_ENTITY_UUID: 'entityId must be a UUID.',
  MEMBERSHIP_ENTITY_ALREADY_IN_GROUP: 'This entity is a member already.',
  MEMBERSHIP_DUPLICATED_MEMBERSHIP: 'The body names an entity twice.',
  MEMBERSHIP_NOT_FOUND: 'This entity is not a member.',
  MEMBERSHIP_NO_ADMIN: 'Without this member nobody in the group could manage it.',
  SPACE_NAME_EMPTY: 'name is missing or blank.',
  SPACE_NAME_TOO_LONG: 'name is longer than 255 characters.',
  SPACE_NAME_INVALID_CHARACTERS: 'name may hold letters, digits, spaces, hyphens and underscores.',
  SPACE_DESCRIPTION_TOO_LONG: 'description is longer than 2048 characters.',
  SPACE_ALREADY_EXISTS: 'A space of this name exists already.',
  SPACE_NOT_FOUND: 'No such space.',
  // Organization admins
  ORGANIZATION_ADMIN_EMAIL_EMPTY: 'email is missing or blank.',
  ORGANIZATION_ADMIN_EMAIL_TOO_LONG: 'email is longer than 512 characters.',
  ORGANIZATION_ADMIN_EMAIL_INVALID: 'email is not an e-mail address.',
  ORGANIZATION_NOT_FOUND: 'No such organization.',
  ORGANIZATION_ADMIN_ALREADY_EXISTS: 'This user is an organization admin already.',
  ORGANIZATION_ADMIN_IS_LAST: 'The last organization admin cannot be removed.',
  INVALID_IDENTIFIER_FORMAT: 'userId must be a UUID or an e-mail address.',
  // Roles for a while
  GRANT_TERMS_INVALID: 'The terms of the grant contradict themselves, or go beyond what is allowed.',
  GRANT_NOT_FOUND: 'No such grant of the caller.',
  GRANT_NOT_IN_FORCE: 'The grant has not begun, or is over.',
  GRANT_NOT_REVOCABLE: 'What this request granted is not taken back through it, or was already.',
  ROLE_DELETED: 'The role does not exist any more; the request can only be denied or deleted.',
  // Quotas
  MISSING_LIMIT: 'limit is needed.',
  QUOTA_INVALID_LIMIT: 'limit must be a whole number from 0 up.',
  MISSING_SCOPE: 'scope is needed.',
  INVALID_SCOPE: 'scope must be Org, Space, WorkflowTemplate, Workflow, Group or User.',
  MISSING_QUOTATYPE: 'quotaType is needed.',
  INVALID_QUOTATYPE: 'quotaType is none of the seven there are.',
  MISSING_TARGETID: 'targetId is needed.',
  INVALID_TARGETID: 'targetId must be a UUID.',
  INVALID_SCOPE_QUOTATYPE_COMBINATION: 'A quota of this type cannot be set at this scope.',
  QUOTA_ALREADY_EXISTS: 'A quota of this type is set on this target already.',
  QUOTA_NOT_FOUND: 'No such quota.',
  QUOTA_CONCURRENT_MODIFICATION_ERROR: 'Someone else changed this quota at the same moment; read it again.',
  // Audit log and resources
  INVALID_CURSOR: 'cursor must be one that an earlier page gave.',
  INVALID_AUDIT_LIMIT: 'limit must be a whole number from 1 to 100.',
  INVALID_TARGETS: 'targets must be SPACE, GROUP, USER or AGENT, a colon and a UUID.',
  INVALID_ACTORS: 'actors must be user or agent, a colon and a UUID.',
  INVALID_AUDIT_TYPES: 'auditTypes names a type that does not exist.',
  MISSING_RESOURCES: 'resources is needed: a list.',
  EMPTY_RESOURCES: 'resources is empty.',
  TOO_MANY_RESOURCES: 'resources has more than 50 items.',
  INVALID_RESOURCE_ITEM: 'resources holds something that is not an object.',
  MISSING_RESOURCE_TYPE: 'type is needed.',
  INVALID_RESOURCE_TYPE_VALUE: 'type must be space or group.',
  MISSING_RESOURCE_ID: 'id is needed.',
  INVALID_RESOURCE_ID_FORMAT: 'id must be a UUID.',
  // Transparency log
  LOG_INVALID_NUMBER: 'This must be a whole number: an index, a size of the log, or a limit from 1 to 10000.',
  LOG_INVALID_RANGE: 'from must not be larger than to.',
  LOG_INVALID_LEAF: 'leaf must be the hash of a leaf: 32 bytes as hexadecimal digits or base64.',
  LOG_INVALID_TILE: 'This is no path of a tile; C2SP tlog-tiles says how they are written.',
  LOG_BEYOND_END: 'The log does not reach so far yet.',
  LOG_LEAF_NOT_FOUND: 'No leaf of the log has this hash.',
  LOG_CHECKPOINT_NOT_FOUND: 'The log has no checkpoint yet, or none of this size.',
  LOG_BUNDLE_NOT_OFFERED:
    'A leaf of this bundle is longer than 65535 bytes, for which the format has no room; read its leaves one by one.',
  // Accounts, apps and keys
  APPROVAL_REQUIRED: 'This operation requires approval',
  APPROVAL_NOT_NEEDED: 'approval is not needed',
  OPERATION_UNKNOWN: 'operation is none that can wait for approval.',
  OPERATION_NOT_FOUND: 'No such approval request.',
  OPERATION_NOT_PENDING: 'The request is decided, or has expired.',
  OPERATION_WITHOUT_RESULT: 'The request has no result, or not any more.',
  NOT_A_REVIEWER: 'You are no reviewer of this request.',
  SECOND_FACTOR_PENDING: 'The session owes a second factor.',
  SECOND_FACTOR_NOT_PENDING: 'The session owes no second factor.',
  SECOND_FACTOR_WRONG: 'The second factor is not accepted.',
  DEVICES_LOCKED: 'The configuration of security keys is locked in this session.',
  DEVICES_UNLOCKED: 'The configuration of security keys is unlocked in this session; lock it first.',
  PASSWORD_WRONG: 'The password is wrong.',
  SIGN_UP_CLOSED: 'Nobody signs up by themselves here.',
  ACCOUNT_NOT_SELECTED: 'The session has selected no account.',
  ACCOUNT_NOT_FOUND: 'No such account.',
  ACCOUNT_ALREADY_EXISTS: 'An account of this name exists already.',
  MEMBER_DISABLED: 'The user is disabled in this account.',
  APP_DISABLED: 'The app is disabled.',
  APP_NOT_FOUND: 'No such app.',
  APP_ALREADY_EXISTS: 'An app of this name exists already.',
  LAST_ADMINISTRATOR: 'Without this user nobody could administer the account.',
  GROUP_IN_USE: 'The group still holds keys.',
  QUORUM_POLICY_INVALID: 'The approval policy is malformed, or names someone who cannot approve.',
  KEY_NOT_FOUND: 'No such key.',
  KEY_ALREADY_EXISTS: 'A key of this name exists already.',
  KEY_DISABLED: 'The key is disabled.',
  KEY_OPERATION_NOT_ALLOWED: 'The key is not for this operation.',
  KEY_NOT_ACTIVE: 'The key is revoked: it makes nothing new any more.',
  KEY_WITHOUT_MATERIAL: 'The key has not the part of it that this needs, or is destroyed.',
  KEY_MATERIAL_INVALID: 'value is no key of the kind that it is said to be.',
  CRYPTO_INPUT_INVALID:
    'What is to be signed, encrypted or opened does not fit the key or the algorithm; the answer says why.',
  CIPHER_NOT_GENUINE: 'cipher was not made with this key and these parameters, or has been altered.',
} as const

export type ErrorCode = keyof typeof errorCodes

export interface AppErrorOptions {
  /** The member of the request that is wrong, as the client wrote it: `voteType.votedForGroups[0]`. */
  readonly field?: string
  /** Every member that is wrong, when there are several. */
  readonly violations?: readonly Violation[]
  readonly cause?: unknown
}

/** One of several things that are wrong with a request. */
export interface Violation {
  readonly field: string
  readonly message: string
}

/** The refusal of one member. @param problem goes on where its name ends: `must be a UUID` */
export function invalidMember(field: string, problem: string): AppError {
  return new AppError('INVALID_MEMBER', `${field} ${problem}.`, { field })
}

/** Refuses members that are wrong, if there are any. @throws AppError INVALID_MEMBER, naming the one or each of several */
export function refuseMembers(violations: readonly Violation[]): void {
  const [first, ...others] = violations
  if (first === undefined) return
  if (others.length === 0) throw new AppError('INVALID_MEMBER', first.message, { field: first.field })
  throw new AppError('INVALID_MEMBER', `${violations.length} members are not accepted.`, { violations })
}

/** A foreseeable refusal. Anything else that is thrown is a fault, and its text stays in the log. */
export class AppError extends Error {
  override readonly name = 'AppError'
  readonly code: ErrorCode
  readonly field: string | null
  readonly violations: readonly Violation[]

  /** @param detail what is wrong, for people; by default the code's own meaning */
  constructor(code: ErrorCode, detail: string = errorCodes[code], options: AppErrorOptions = {}) {
    super(detail, { cause: options.cause })
    this.code = code
    this.field = options.field ?? null
    this.violations = options.violations ?? []
  }
}
