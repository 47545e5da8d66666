import { parseArgs } from 'node:util'

const help = `npm run demo [-- --json]

Plays Quorate's main job against a running server, over real HTTP: ada asks for a release, which needs two approvals from
security and one from finance; ben, cleo and dana give them.

  --json   ends with one line of JSON: {"workflowId", "accessToken", ...}
  --help   shows this text

Environment:
  QUORATE_URL   where the server listens (default http://127.0.0.1:8080)

The server must be the demo one: start it with "npm start".
`

const { values: options } = parseArgs({ options: { json: { type: 'boolean' }, help: { type: 'boolean' } } })
const serverUrl = (process.env['QUORATE_URL'] || 'http://127.0.0.1:8080').replace(/\/+$/, '')

/** Nothing listens here: the demo reads code and state from the redirect instead of following it. */
const redirectUri = 'http://127.0.0.1:4711/callback'

// The members of the API's answers that the demo reads (contract §1).
interface Template {
  readonly id: string
  readonly name: string
  readonly version: string
  readonly approvalRule: Rule
}
type Rule =
  | { readonly type: 'GROUP_REQUIREMENT'; readonly groupId: string; readonly minCount: number }
  | { readonly type: 'AND' | 'OR'; readonly rules: readonly Rule[] }
interface Workflow {
  readonly id: string
  readonly name: string
  readonly status: string
}
interface Seats {
  readonly type: 'GROUP_REQUIREMENT'
  readonly groupId: string
  readonly held: number
  readonly needed: number
}
type Branch = Seats | { readonly type: 'AND' | 'OR' | 'AT_LEAST'; readonly rules: readonly Branch[] }
interface Explanation {
  readonly pending?: { readonly rule: Branch }
}
interface AuthInfo {
  readonly groups: readonly { readonly groupId: string; readonly groupName: string }[]
}
interface Tokens {
  readonly accessToken: string
}

interface Person {
  readonly name: string
  readonly accessToken: string
  readonly groups: ReadonlyMap<string, string>
}

/** What went wrong, in words for whoever runs the demo. */
class DemoError extends Error {}

async function main(): Promise<void> {
  say(`Quorate at ${serverUrl}`)
  step('Signing in through OpenID Connect')
  const ada = await signIn('ada')
  const ben = await signIn('ben')
  const cleo = await signIn('cleo')
  const dana = await signIn('dana')

  step('Ada asks for an approval')
  const template = await get<Template>(ada, '/workflow-templates/Release')
  say(
    `Template "${template.name}", version ${template.version}: ${ruleInWords(template.approvalRule, namesOf(ben, dana))}.`,
  )
  const name = `demo-release-${new Date().toISOString().replace(/\D/g, '')}-${Math.random().toString(36).slice(2, 8)}`
  await call(ada, 'POST', '/workflows', {
    name,
    description: 'Opened by npm run demo.',
    workflowTemplateId: template.id,
  })
  const workflow = await get<Workflow>(ada, `/workflows/${name}`)
  say(`Ada opened workflow ${workflow.name} (${workflow.id}), which is ${workflow.status}.`)

  step('Who may vote?')
  for (const person of [ada, ben, cleo, dana]) {
    const { canVote, cantVoteReason } = await get<{ canVote: boolean; cantVoteReason?: string }>(
      person,
      `/workflows/${workflow.id}/canVote`,
    )
    say(`${person.name}: ${canVote ? 'may vote' : `may not vote (${cantVoteReason ?? 'no reason given'})`}`)
  }

  step('The votes')
  for (const [person, group] of [
    [ben, 'security'],
    [cleo, 'security'],
    [dana, 'finance'],
  ] as const) {
    const status = await approve(person, group, workflow.id)
    say(`${person.name} approves for ${group}; the workflow is now ${status}.`)
    await sayWhatIsMissing(ada, workflow.id, namesOf(ben, dana))
  }

  const { votes } = await get<{ votes: readonly object[] }>(ada, `/workflows/${workflow.id}/votes`)
  const decided = await get<Workflow>(ada, `/workflows/${workflow.id}`)
  if (decided.status !== 'APPROVED')
    throw new DemoError(`The workflow should be APPROVED now, but is ${decided.status}.`)
  step(`Approved, with ${votes.length} votes. ${serverUrl}/docs describes every call that was made here.`)
  if (options.json) {
    const { id: workflowId, name: workflowName } = workflow
    console.log(JSON.stringify({ workflowId, workflowName, status: decided.status, accessToken: ada.accessToken }))
  }
}

/** Signs in as the demo server lets scripts do it: login_hint names the person, and the answer is a redirect at once. */
async function signIn(name: string): Promise<Person> {
  const email = `${name}@example.com`
  const started = await call<{ authorizationUrl: string }>(null, 'POST', '/auth/cli/initiate', { redirectUri })
  const callback = await followToCallback(`${started.authorizationUrl}&login_hint=${encodeURIComponent(email)}`)
  const { code, state } = Object.fromEntries(callback.searchParams)
  const { accessToken } = await call<Tokens>(null, 'POST', '/auth/cli/token', { code, state })
  const display = `${name.charAt(0).toUpperCase()}${name.slice(1)}`
  const info = await get<AuthInfo>({ name: display, accessToken }, '/auth/info')
  const groups = new Map(info.groups.map(({ groupName, groupId }) => [groupName, groupId]))
  say(`${display} (${email}), ${groups.size === 0 ? 'in no group' : `of ${[...groups.keys()].join(', ')}`}.`)
  return { name: display, accessToken, groups }
}

async function followToCallback(authorizationUrl: string): Promise<URL> {
  let next = new URL(authorizationUrl)
  for (let hop = 0; hop < 10 && !next.href.startsWith(redirectUri); hop++) {
    const answer = await request(next.href, { redirect: 'manual' })
    const location = answer.headers.get('location')
    if (location === null) {
      throw new DemoError(
        'The identity provider did not sign in without asking. The demo needs the development sign-in of a server that was started without OIDC_ISSUER.',
      )
    }
    next = new URL(location, next)
  }
  return next
}

async function approve(person: Person, group: string, workflowId: string): Promise<string> {
  const groupId = person.groups.get(group)
  if (groupId === undefined) throw new DemoError(`${person.name} is not in the group ${group}.`)
  const vote = { voteType: { type: 'APPROVE', votedForGroups: [groupId] }, reason: `Looks good to ${group}.` }
  const path = `/workflows/${workflowId}/vote`
  return (await call<{ workflowStatus: string }>(person, 'POST', path, vote)).workflowStatus
}

async function sayWhatIsMissing(
  person: Person,
  workflowId: string,
  groups: ReadonlyMap<string, string>,
): Promise<void> {
  const answer = await send(person, 'GET', `/v1/workflows/${workflowId}/explain`)
  const rule = answer.status === 200 ? (answer.body as Explanation).pending?.rule : undefined
  if (rule === undefined) return
  for (const { groupId, held, needed } of leavesOf(rule)) {
    const missing = needed - held
    const rest = missing > 0 ? `, ${missing} more missing` : ''
    say(`  ${groups.get(groupId) ?? groupId}: ${held} of ${needed}${rest}`)
  }
}

/** Names of groups by their ids. */
function namesOf(...people: readonly Person[]): ReadonlyMap<string, string> {
  return new Map(people.flatMap(({ groups }) => [...groups].map(([name, id]): [string, string] => [id, name])))
}

function leavesOf(rule: Branch): readonly Seats[] {
  return rule.type === 'GROUP_REQUIREMENT' ? [rule] : rule.rules.flatMap(leavesOf)
}

function ruleInWords(rule: Rule, groups: ReadonlyMap<string, string>): string {
  if (rule.type === 'GROUP_REQUIREMENT') return `${rule.minCount} of ${groups.get(rule.groupId) ?? rule.groupId}`
  return rule.rules.map((part) => ruleInWords(part, groups)).join(rule.type === 'AND' ? ' and ' : ' or ')
}

type Caller = Pick<Person, 'name' | 'accessToken'>

async function get<T>(person: Caller, path: string): Promise<T> {
  return await call<T>(person, 'GET', path)
}

async function call<T>(person: Caller | null, method: string, path: string, body?: object): Promise<T> {
  const answer = await send(person, method, path, body)
  if (answer.status >= 400) {
    const { code = '', message = '' } = (answer.body ?? {}) as { code?: string; message?: string }
    const who = person === null ? '' : ` as ${person.name}`
    throw new DemoError(`${method} ${path}${who} answered ${answer.status} ${code}: ${message}`)
  }
  return answer.body as T
}

async function send(
  person: Caller | null,
  method: string,
  path: string,
  body?: object,
): Promise<{ status: number; body: unknown }> {
  const headers = {
    ...(body !== undefined && { 'content-type': 'application/json' }),
    ...(person !== null && { authorization: `Bearer ${person.accessToken}` }),
  }
  const answer = await request(`${serverUrl}${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) })
  const text = await answer.text()
  const isJson = answer.headers.get('content-type')?.includes('json') === true
  return { status: answer.status, body: isJson ? JSON.parse(text) : null }
}

async function request(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { ...init, signal: AbortSignal.timeout(30_000) })
  } catch (cause) {
    const { code } = ((cause as Error).cause ?? {}) as { code?: string }
    const { origin } = new URL(url)
    throw new DemoError(
      `No answer from ${origin} (${code ?? (cause as Error).message}). Start the server with "npm start", or say where it is with QUORATE_URL.`,
    )
  }
}

function step(text: string): void {
  console.log(`\n${text}`)
}

function say(text: string): void {
  console.log(`  ${text}`)
}

if (options.help) process.stdout.write(help)
else {
  try {
    await main()
  } catch (error) {
    process.stderr.write(`demo: ${error instanceof DemoError ? error.message : (error as Error).stack}\n`)
    process.exitCode = 1
  }
}
