import { call, get, send, type Caller } from './http.ts'
import type { Rule } from './rule-words.ts'

/** The template "Release" again, but each approval needs a sign-in repeated just now. */
export const guardedTemplate = 'Guarded release'

interface Template {
  readonly id: string
  readonly spaceId: string
  readonly approvalRule: Rule
}
interface Role {
  readonly roleName: string
  readonly scope: object
}

/** Made by the first run of the demo, with the right to vote on it for everyone who may vote on "Release"; gives its id. */
export async function ensureGuardedTemplate(admin: Caller): Promise<string> {
  const path = `/workflow-templates/${encodeURIComponent(guardedTemplate)}`
  if ((await send(admin, 'GET', path)).status !== 200) {
    const { spaceId, approvalRule } = await get<Template>(admin, '/workflow-templates/Release')
    const rule = guarded(approvalRule)
    await call(admin, 'POST', '/workflow-templates', {
      name: guardedTemplate,
      spaceId,
      approvalRule: rule,
      actions: [],
    })
  }
  await letVote(admin)
  return (await get<Template>(admin, path)).id
}

function guarded(rule: Rule): object {
  if (rule.type === 'GROUP_REQUIREMENT') return { ...rule, requireHighPrivilege: true }
  return { ...rule, rules: rule.rules.map(guarded) }
}

async function letVote(admin: Caller): Promise<void> {
  const voter = {
    roleName: 'WorkflowTemplateVoter',
    scope: { type: 'workflow_template', templateName: guardedTemplate },
  }
  const { users } = await get<{ users: readonly { id: string; email: string }[] }>(admin, '/users?limit=100')
  for (const { id } of users.filter(({ email }) => /^(ben|cleo|dana)@example\.com$/.test(email))) {
    const { roles } = await get<{ roles: readonly Role[] }>(admin, `/users/${id}`)
    // Giving roles replaces those that are held.
    await call(admin, 'PUT', `/users/${id}/roles`, { roles: [...roles.filter((role) => !isOn(role)), voter] })
  }
}

function isOn({ scope }: Role): boolean {
  return (scope as { templateName?: string }).templateName === guardedTemplate
}
