import { call, DemoError, get, serverUrl } from './http.ts'
import { approve, namesOf, signIn } from './people.ts'
import { ruleInWords, sayWhatIsMissing, type Rule } from './rule-words.ts'
import { say, step } from './say.ts'

interface Template {
  readonly id: string
  readonly name: string
  readonly version: string
  readonly approvalRule: Rule
}
interface Workflow {
  readonly id: string
  readonly name: string
  readonly status: string
}

/** People ask and people approve; gives what `--json` prints. */
export async function playMainJob(): Promise<object> {
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
  const name = uniqueName('demo-release')
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
  const { id: workflowId, name: workflowName } = workflow
  return { workflowId, workflowName, status: decided.status, accessToken: ada.accessToken }
}

/** A name that no earlier run has taken. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${new Date().toISOString().replace(/\D/g, '')}-${Math.random().toString(36).slice(2, 8)}`
}
