import { setTimeout } from 'node:timers/promises'
import { ensureGuardedTemplate, guardedTemplate } from './guarded-template.ts'
import { call, DemoError, get, serverUrl, type Caller } from './http.ts'
import { signInMachine } from './machine.ts'
import { uniqueName } from './main-job.ts'
import { approve, signIn, stepUp } from './people.ts'
import { say, step } from './say.ts'

interface Registration {
  readonly agentId: string
  readonly agentName: string
  readonly privateKey: string
}
interface Workflow {
  readonly id: string
  readonly name: string
  readonly status: string
}

/** A machine asks, people approve, and the machine learns of it; gives what `--json` prints. */
export async function playAgentJob(): Promise<object> {
  step('Ada registers an agent')
  const ada = await signIn('ada')
  const registered = await call<Registration>(ada, 'POST', '/agents/register', { agentName: uniqueName('release-bot') })
  const { agentId, agentName } = registered
  say(`${agentName} (${agentId}) has a key of its own; the server keeps the public half alone.`)
  const templateId = await ensureGuardedTemplate(ada)
  const scope = { type: 'workflow_template', templateName: guardedTemplate }
  const roles = ['WorkflowTemplateInstantiator', 'WorkflowTemplateReadOnly', 'WorkflowReadOnly']
  await call(ada, 'PUT', `/agents/${agentId}/roles`, { roles: roles.map((roleName) => ({ roleName, scope })) })
  await call(ada, 'PATCH', `/v1/agents/${agentId}`, { dpopRequired: true })
  say('It may open releases, and only with tokens that are bound to its key.')

  step('The agent signs in with its key')
  const machine = { agentName, privateKey: Buffer.from(registered.privateKey, 'base64').toString() }
  const agent = await signInMachine(machine)
  say('It opened the challenge, signed an assertion over its nonce, and got an access token bound to the key.')

  step('The agent asks for an approval')
  const name = uniqueName('agent-release')
  await call(agent, 'POST', '/workflows', { name, workflowTemplateId: templateId })
  const workflow = await get<Workflow>(agent, `/workflows/${name}`)
  say(`${agentName} opened workflow ${workflow.name} (${workflow.id}), which is ${workflow.status}.`)

  step('People approve, each proving once more who they are, while the agent waits')
  const outcome = decisionOf(agent, workflow.id)
  await Promise.all([outcome, approveAll(workflow.id)])
  const status = await outcome
  if (status !== 'APPROVED') throw new DemoError(`The workflow should be APPROVED now, but is ${status}.`)
  step(`The agent has its answer: ${status}. ${serverUrl}/docs describes every call that was made here.`)
  return {
    workflowId: workflow.id,
    workflowName: workflow.name,
    status,
    agentId,
    agentName,
    accessToken: ada.accessToken,
  }
}

async function approveAll(workflowId: string): Promise<void> {
  for (const [who, group] of [
    ['ben', 'security'],
    ['cleo', 'security'],
    ['dana', 'finance'],
  ] as const) {
    const person = await stepUp(await signIn(who), workflowId)
    const status = await approve(person, group, workflowId)
    say(`${person.name} signs in once more, for this vote alone, and approves for ${group}; it is now ${status}.`)
  }
}

const undecided = 'EVALUATION_IN_PROGRESS'
const patienceSeconds = 60

/** Asks every half second, each time with a new proof, until the workflow is decided. */
async function decisionOf(agent: Caller, workflowId: string): Promise<string> {
  for (let waited = 0; waited < patienceSeconds; waited += 0.5) {
    const { status } = await get<Workflow>(agent, `/workflows/${workflowId}`)
    if (status !== undecided) return status
    await setTimeout(500)
  }
  throw new DemoError(`Nobody decided the workflow within ${patienceSeconds} seconds.`)
}
