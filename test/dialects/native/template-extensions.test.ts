import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { nativeOptions } from '../../helpers/quorum.ts'
import { expectRefusal, startTemplateWorld, templates, type TemplateWorld } from '../../helpers/templates.ts'

let world: TemplateWorld
beforeAll(async () => void (world = await startTemplateWorld()))
afterAll(() => world.close())

const group = (minCount = 1) => ({ type: 'GROUP_REQUIREMENT', groupId: world.security, minCount })
const stored = async (id: string) =>
  await world.ctx.db.selectFrom('policies').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
const staged = (stages: unknown, members: object = {}) => world.draft({ approvalRule: undefined, stages, ...members })

describe('options', () => {
  it('have the defaults of the contract, and are not answered, when none were sent', async () => {
    const made = await world.made()
    expect(made).not.toHaveProperty('options')
    expect((await stored(made.id)).options).toEqual(nativeOptions)
  })

  it.each([
    [{}, {}],
    [{ requesterMayVote: false }, { requesterMayVote: false }],
    [{ distinctPeople: true }, { distinctPeople: true }],
    [{ naturalPersons: true }, { naturalPersons: true }],
    [{ recheckEligibility: false }, { recheckEligibility: false }],
    [{ veto: 'final' }, { veto: 'final' }],
    [{ veto: 'ignored' }, { veto: 'ignored' }],
  ])('%o are stored, and answered with the defaults of the rest', async (options, effective) => {
    const made = await world.made({ options })
    const all = { ...nativeOptions, ...effective }
    const { options: kernelOptions, natural_persons } = await stored(made.id)
    expect(kernelOptions).toEqual(all)
    expect(natural_persons).toBe(all.naturalPersons)
    const { vetoNeedsAssurance: _, ...answered } = all
    expect(made.options).toEqual(answered)
  })

  it.each([
    ['options', 'final'],
    ['options', []],
    ['options.veto', { veto: 'maybe' }],
    ['options.veto', { veto: true }],
    ['options.distinctPeople', { distinctPeople: 'yes' }],
    ['options.requesterMayVote', { requesterMayVote: null }],
    ['options.vetoNeedsAssurance', { vetoNeedsAssurance: false }],
    ['options.toString', { toString: true }],
  ])('400 WORKFLOW_TEMPLATE_OPTIONS_INVALID at %s for %o', async (field, options) => {
    const answer = await world.ada.post(templates, world.draft({ options }))
    expectRefusal(answer, 400, 'WORKFLOW_TEMPLATE_OPTIONS_INVALID', field)
  })

  it('sent with an update replace all of them', async () => {
    const { id } = await world.made({ options: { veto: 'final', distinctPeople: true } })
    const { body } = await world.ada.put(`${templates}/${id}`, { options: { naturalPersons: true } })
    expect(body.options).toMatchObject({ veto: 'withdrawable', distinctPeople: false, naturalPersons: true })
  })

  it('of an update are checked with the rule that is copied', async () => {
    const approvalRule = { type: 'OR', rules: Array.from({ length: 17 }, () => group()) }
    const { id } = await world.made({ approvalRule })
    const refused = await world.ada.put(`${templates}/${id}`, { options: { distinctPeople: true } })
    expectRefusal(refused, 400, 'APPROVAL_RULE_TOO_LARGE')
    expect((await world.ada.get(`${templates}/${id}`)).body).toMatchObject({ status: 'ACTIVE', version: '1' })
  })
})

describe('stages', () => {
  it('are answered as sent, with the first binding rule for stock clients', async () => {
    const deep = { type: 'AND', rules: [{ type: 'OR', rules: [{ type: 'AND', rules: [group()] }] }] }
    const stages = [
      { name: 'Feedback', advisory: true, approvalRule: group() },
      { name: 'Security', advisory: false, approvalRule: { type: 'AT_LEAST', count: 1, rules: [group(), group(2)] } },
      { approvalRule: deep },
    ]
    const made = await world.ada.post(templates, staged(stages))
    expect(made.status).toBe(201)
    expect(made.body.stages).toEqual(stages)
    expect(made.body.approvalRule).toEqual(stages[1]?.approvalRule)
    expect((await world.ben.get(`${templates}/${made.body.id}`)).body).toEqual(made.body)
    expect((await stored(made.body.id)).stages).toMatchObject([
      { name: 'Feedback', binding: false },
      { name: 'Security', binding: true },
      { binding: true },
    ])
  })

  it.each([
    ['stages', [] as unknown],
    ['stages', {}],
    ['stages', 'x'],
    ['stages', Array.from({ length: 11 }, () => ({}))],
    ['stages[0]', [null]],
    ['stages[0].name', [{ name: 1 }]],
    ['stages[0].advisory', [{ advisory: 'yes' }]],
  ])('400 WORKFLOW_TEMPLATE_STAGES_INVALID at %s', async (field, stages) => {
    expectRefusal(await world.ada.post(templates, staged(stages)), 400, 'WORKFLOW_TEMPLATE_STAGES_INVALID', field)
  })

  it('400 WORKFLOW_TEMPLATE_STAGES_INVALID when none is binding, or beside approvalRule', async () => {
    const advisory = [{ advisory: true, approvalRule: group() }]
    expectRefusal(await world.ada.post(templates, staged(advisory)), 400, 'WORKFLOW_TEMPLATE_STAGES_INVALID', 'stages')
    const both = staged([{ approvalRule: group() }], { approvalRule: group() })
    expectRefusal(await world.ada.post(templates, both), 400, 'WORKFLOW_TEMPLATE_STAGES_INVALID', 'stages')
  })

  it('400 APPROVAL_RULE_INVALID_RULE_TYPE names the stage', async () => {
    const answer = await world.ada.post(templates, staged([{ approvalRule: group() }, { name: 'x' }]))
    expectRefusal(answer, 400, 'APPROVAL_RULE_INVALID_RULE_TYPE', 'stages[1].approvalRule')
  })

  it('are copied by an update that sends no rules, and replaced by one that sends a rule', async () => {
    const { id } = await world.made({ approvalRule: undefined, stages: [{ name: 'One', approvalRule: group() }] })
    const copied = await world.ada.put(`${templates}/${id}`, { description: 'New' })
    expect(copied.body).toMatchObject({ stages: [{ name: 'One', approvalRule: group() }], approvalRule: group() })
    const replaced = await world.ada.put(`${templates}/${copied.body.id}`, { approvalRule: group(2) })
    expect(replaced.body).not.toHaveProperty('stages')
    expect(replaced.body.approvalRule).toEqual(group(2))
  })
})
