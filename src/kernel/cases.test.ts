import { describe, expect, test } from 'vitest'
import { acceptPolicy } from './accept.ts'
import { assurance } from '../../test/kernel/cases/assurance.ts'
import { policyOf } from '../../test/kernel/cases/case.ts'
import { eligibility } from '../../test/kernel/cases/eligibility.ts'
import { once } from '../../test/kernel/cases/once.ts'
import { people } from '../../test/kernel/cases/people.ts'
import { play } from '../../test/kernel/cases/play.ts'
import { quorum } from '../../test/kernel/cases/quorum.ts'
import { recheck } from '../../test/kernel/cases/recheck.ts'
import { single } from '../../test/kernel/cases/single.ts'
import { stages } from '../../test/kernel/cases/stages.ts'
import { time } from '../../test/kernel/cases/time.ts'
import { veto } from '../../test/kernel/cases/veto.ts'

const chapters = { quorum, stages, veto, eligibility, assurance, people, recheck, time, single, once }

describe.each(Object.entries(chapters))('%s', (_, cases) => {
  test.each(cases.map((story) => [story.title, story] as const))('%s', (_title, story) => {
    const told = play(story)
    expect(told.map((then, step) => [story.steps[step]?.[1], then])).toEqual(
      story.steps.map(([, happens, then]) => [happens, then]),
    )
  })

  test.each(cases.map((story) => [story.title, story] as const))(
    'is about an acceptable policy: %s',
    (_title, story) => {
      expect(acceptPolicy(policyOf(story))).toMatchObject({ ok: true })
    },
  )
})
