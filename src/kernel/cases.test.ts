import { describe, expect, test } from 'vitest'
import { acceptPolicy } from './accept.ts'
import { assurance } from './cases/assurance.ts'
import { policyOf } from './cases/case.ts'
import { eligibility } from './cases/eligibility.ts'
import { people } from './cases/people.ts'
import { play } from './cases/play.ts'
import { quorum } from './cases/quorum.ts'
import { recheck } from './cases/recheck.ts'
import { stages } from './cases/stages.ts'
import { time } from './cases/time.ts'
import { veto } from './cases/veto.ts'

const chapters = { quorum, stages, veto, eligibility, assurance, people, recheck, time }

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
