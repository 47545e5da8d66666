import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectRefusal, startTemplateWorld, templates, type TemplateWorld } from '../../helpers/templates.ts'

let world: TemplateWorld
beforeAll(async () => void (world = await startTemplateWorld()))
afterAll(() => world.close())

const groupId = '01890000-0000-7000-8000-00000000000a'
const group = { type: 'GROUP_REQUIREMENT', groupId, minCount: 1 }
const and = (...rules: unknown[]) => ({ type: 'AND', rules })
const or = (...rules: unknown[]) => ({ type: 'OR', rules })
const atLeast = (count: unknown, ...rules: unknown[]) => ({ type: 'AT_LEAST', count, rules })
/** A rule whose leaf lies at this depth. */
const nested = (depth: number, wrap: (rule: unknown) => unknown = and): unknown =>
  depth === 0 ? group : wrap(nested(depth - 1, wrap))
const wide = (count: number) => Array.from({ length: count }, () => group)
const once = (rule: unknown) => atLeast(1, rule)

const refused: readonly (readonly [code: string, at: string, rule: unknown])[] = [
  ['INVALID_RULE_TYPE', '', undefined],
  ['INVALID_RULE_TYPE', '', null],
  ['INVALID_RULE_TYPE', '', 'AND'],
  ['INVALID_RULE_TYPE', '', [group]],
  ['INVALID_RULE_TYPE', '.type', {}],
  ['INVALID_RULE_TYPE', '.type', { type: 'XOR', rules: [group] }],
  ['INVALID_RULE_TYPE', '.type', { type: 'constructor' }],
  ['INVALID_RULE_TYPE', '.rules[1]', and(group, 7)],
  ['AND_RULE_MUST_HAVE_RULES', '.rules', { type: 'AND' }],
  ['AND_RULE_MUST_HAVE_RULES', '.rules', and()],
  ['AND_RULE_MUST_HAVE_RULES', '.rules', { type: 'AND', rules: { 0: group, length: 1 } }],
  ['OR_RULE_MUST_HAVE_RULES', '.rules', { type: 'OR', rules: 'many' }],
  ['OR_RULE_MUST_HAVE_RULES', '.rules[0].rules', and(or())],
  ['AT_LEAST_RULE_MUST_HAVE_RULES', '.rules', atLeast(1)],
  ['AT_LEAST_RULE_INVALID_COUNT', '.count', atLeast(0, group)],
  ['AT_LEAST_RULE_INVALID_COUNT', '.count', atLeast(2, group)],
  ['AT_LEAST_RULE_INVALID_COUNT', '.count', atLeast('1', group)],
  ['AT_LEAST_RULE_INVALID_COUNT', '.count', atLeast(undefined, group)],
  ['GROUP_RULE_INVALID_GROUP_ID', '.groupId', { ...group, groupId: undefined }],
  ['GROUP_RULE_INVALID_GROUP_ID', '.groupId', { ...group, groupId: 'security' }],
  ['GROUP_RULE_INVALID_GROUP_ID', '.groupId', { ...group, groupId: 'f47ac10b-58cc-4372-a567-0e02b2c3d479' }],
  ['GROUP_RULE_INVALID_MIN_COUNT', '.minCount', { ...group, minCount: undefined }],
  ['GROUP_RULE_INVALID_MIN_COUNT', '.minCount', { ...group, minCount: 0 }],
  ['GROUP_RULE_INVALID_MIN_COUNT', '.minCount', { ...group, minCount: 1.5 }],
  ['GROUP_RULE_INVALID_MIN_COUNT', '.minCount', { ...group, minCount: '2' }],
  ['GROUP_RULE_INVALID_MIN_COUNT', '.rules[0].minCount', or({ ...group, minCount: 1e300 })],
  ['MALFORMED_CONTENT', '.requireHighPrivilege', { ...group, requireHighPrivilege: 'yes' }],
  ['MALFORMED_CONTENT', '.requireHighPrivilege', { ...group, requireHighPrivilege: null }],
  ['MAX_RULE_NESTING_EXCEEDED', '.rules[0].rules[0].rules[0]', nested(3)],
  ['MAX_RULE_NESTING_EXCEEDED', '.rules[0].rules[0].rules[0]', and(or(and({ type: 'NONSENSE' })))],
  ['MAX_RULE_NESTING_EXCEEDED', `${'.rules[0]'.repeat(9)}`, nested(9, once)],
  ['TOO_LARGE', '.rules[999]', and(...wide(1000))],
  ['TOO_LARGE', '.rules[999]', and(...wide(10_000))],
]

describe('POST /workflow-templates 400', () => {
  it.each(refused)(
    'POST /workflow-templates 400 APPROVAL_RULE_%s at approvalRule%s',
    async (code, at, approvalRule) => {
      const answer = await world.ada.post(templates, world.draft({ approvalRule }))
      expectRefusal(answer, 400, `APPROVAL_RULE_${code}`, `approvalRule${at}`)
    },
  )

  it.each(refused.filter(([, , rule]) => rule !== undefined && rule !== null))(
    'PUT /workflow-templates/{templateIdentifier} 400 APPROVAL_RULE_%s at approvalRule%s',
    async (code, at, approvalRule) => {
      const { id } = await world.made()
      const answer = await world.ada.put(`${templates}/${id}`, { approvalRule })
      expectRefusal(answer, 400, `APPROVAL_RULE_${code}`, `approvalRule${at}`)
    },
  )

  it('POST /workflow-templates 400 APPROVAL_RULE_TOO_LARGE past 64 KiB', async () => {
    const approvalRule = or(...wide(900))
    expectRefusal(await world.ada.post(templates, world.draft({ approvalRule })), 400, 'APPROVAL_RULE_TOO_LARGE')
  })

  it('POST /workflow-templates 400 APPROVAL_RULE_TOO_LARGE with more than 16 leaves and distinctPeople', async () => {
    const options = { distinctPeople: true }
    const draft = (leaves: number) => world.draft({ approvalRule: or(...wide(leaves)), options })
    expectRefusal(await world.ada.post(templates, draft(17)), 400, 'APPROVAL_RULE_TOO_LARGE')
    expect((await world.ada.post(templates, draft(16))).status).toBe(201)
  })

  it('counts the rules of all stages together', async () => {
    const stages = [...wide(6)].map(() => ({ approvalRule: or(...wide(200)) }))
    const answer = await world.ada.post(templates, world.draft({ approvalRule: undefined, stages }))
    expectRefusal(answer, 400, 'APPROVAL_RULE_TOO_LARGE', 'stages[4].approvalRule.rules[195]')
  })
})

describe('a rule is accepted', () => {
  it.each([
    ['a group alone', group],
    ['nested twice', nested(2)],
    ['nested twice, mixed', and(or(group, group), group)],
    ['a group that does not exist, wanting many', { ...group, minCount: 1_000_000 }],
    ['AT_LEAST', atLeast(2, group, group, group)],
    ['AT_LEAST eight deep', nested(8, once)],
    ['AND and OR deeper than two beside an AT_LEAST', and(or(and(or(group))), atLeast(1, group))],
    ['500 groups', or(...wide(500))],
  ])('%s', async (_, approvalRule) => {
    const { status, body } = await world.ada.post(templates, world.draft({ approvalRule }))
    expect(status).toBe(201)
    expect(JSON.stringify(body.approvalRule)).toBe(JSON.stringify(approvalRule))
  })

  it('without the members that nobody knows', async () => {
    const { body } = await world.ada.post(
      templates,
      world.draft({ approvalRule: { ...and({ ...group, x: 1 }), y: {} } }),
    )
    expect(body.approvalRule).toEqual(and(group))
  })
})

describe('a hostile rule is refused and harms nobody', () => {
  const post = async (rule: string) => {
    const draft = JSON.stringify(world.draft({ approvalRule: 0 }))
    return await world.ada.post(templates, draft.replace('"approvalRule":0', `"approvalRule":${rule}`))
  }

  it.each([
    ['100,000 deep', `${'{"type":"AND","rules":['.repeat(40_000)}1${']}'.repeat(40_000)}`, 'MALFORMED_REQUEST', 400],
    ['100,000 brackets', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, 'MALFORMED_REQUEST', 400],
    ['100,000 wide', `{"type":"OR","rules":[${'0,'.repeat(99_999)}0]}`, 'APPROVAL_RULE_INVALID_RULE_TYPE', 400],
    ['100,000 AT_LEASTs', `[${'{"type":"AT_LEAST"},'.repeat(40_000)}0]`, 'APPROVAL_RULE_INVALID_RULE_TYPE', 400],
    ['more than 1 MiB', `"${'x'.repeat(1_100_000)}"`, 'BODY_TOO_LARGE', 413],
    ['__proto__', '{"__proto__":{"type":"AND","rules":[]}}', 'MALFORMED_REQUEST', 400],
    ['constructor', '{"constructor":{"prototype":{"type":"AND"}}}', 'MALFORMED_REQUEST', 400],
    [
      '60 deep',
      `${'{"type":"AND","rules":['.repeat(29)}1${']}'.repeat(29)}`,
      'APPROVAL_RULE_MAX_RULE_NESTING_EXCEEDED',
      400,
    ],
  ])('%s', async (_, rule, code, status) => {
    const answer = await post(rule)
    expect(answer).toMatchObject({ status, body: { code } })
    expect(({} as Record<string, unknown>)['type']).toBeUndefined()
  })
})
