import { expect, it } from 'vitest'
import type { Tx } from '../store/open.ts'
import type { Caller } from './actor.ts'
import { spendStepUp } from './step-up.ts'

it('whoever has no step-up has none to spend', async () => {
  const caller: Caller = {
    orgId: 'org',
    principalId: 'cleo',
    kind: 'human',
    sessionId: null,
    stepUp: null,
    once: null,
  }
  // It is refused before the store is asked.
  const spending = spendStepUp({} as Tx, caller, 'vote', 'workflow', new Date(0))
  await expect(spending).rejects.toMatchObject({ code: 'STEP_UP_CONTEXT_MISSING' })
})
