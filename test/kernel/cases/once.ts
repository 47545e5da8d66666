import { all, any, atLeast, seats, type Case } from './case.ts'

const options = {
  veto: 'final',
  requesterMayVote: true,
  recheckEligibility: false,
  approvesOnce: true,
} as const

/** Approvals that are given once and stand (contract fortanix §3.4, §3.5). */
export const once: readonly Case[] = [
  {
    title: 'a second approval is refused, and the count stays',
    options,
    stages: [seats(2, 'security')],
    steps: [
      [1, 'ben approves', 'open [1]'],
      [2, 'ben approves', 'no: already-voted'],
      [3, 'cleo approves', 'approved at stage 1'],
      [4, 'ben approves', 'no: terminal approved'],
    ],
  },
  {
    title: 'whoever approved may still deny, and one denial is the end',
    options,
    stages: [seats(2, 'security')],
    steps: [
      [1, 'ben approves', 'open [1]'],
      [2, 'ben may vote', 'yes'],
      [3, 'ben vetoes', 'rejected'],
      [4, 'cleo approves', 'no: terminal rejected'],
    ],
  },
  {
    title: 'nothing is taken back',
    options,
    stages: [seats(2, 'security')],
    steps: [
      [1, 'ben withdraws', 'no: vote-is-final'],
      [2, 'ben approves', 'open [1]'],
      [3, 'ben withdraws', 'no: vote-is-final'],
    ],
  },
  {
    title: 'one approval counts in every branch that names its voter',
    options,
    stages: [
      all(atLeast(2, seats(1, '@ben'), seats(1, '@cleo'), seats(1, '@dana')), any(seats(1, '@ben'), seats(1, '@eli'))),
    ],
    steps: [
      [1, 'ben approves', 'open [1 0 0 1 0]'],
      [2, 'dana approves', 'approved at stage 1'],
    ],
  },
  {
    title: 'the requester approves once, like anybody',
    options,
    requester: 'ben',
    stages: [all(seats(1, '@ben'), seats(1, '@cleo'))],
    steps: [
      [1, 'ben approves', 'open [1 0]'],
      [2, 'ben approves', 'no: already-voted'],
      [3, 'cleo approves', 'approved at stage 1'],
    ],
  },
  {
    title: 'whoever approved is told so before they are asked for a proof',
    options,
    stages: [all(seats(1, '@ben', 'password', 'securityKey'), seats(1, '@cleo'))],
    steps: [
      [1, 'ben approves proving nothing', 'no: assurance-missing password,securityKey'],
      [2, 'ben approves proving password, securityKey', 'open [1 0]'],
      [3, 'ben approves proving nothing', 'no: already-voted'],
    ],
  },
  {
    title: 'in the next stage everyone approves anew',
    options,
    stages: [seats(1, 'security'), seats(1, 'security')],
    steps: [
      [1, 'ben approves', 'open at stage 1 [0]'],
      [2, 'ben approves', 'approved at stage 2'],
    ],
  },
  {
    title: 'on other content everyone approves anew',
    options,
    stages: [seats(2, 'security')],
    steps: [
      [1, 'ben approves', 'open [1]'],
      [2, 'it is amended', 'open [0]'],
      [3, 'ben approves', 'open [1]'],
    ],
  },
  {
    title: 'an agent and its person approve once between them where agents count as their person',
    options: { ...options, naturalPersons: true },
    stages: [seats(2, 'security')],
    steps: [
      [1, 'bot approves', 'open [1]'],
      [2, 'ben approves', 'no: already-voted'],
      [3, 'ben vetoes', 'rejected'],
    ],
  },
]
