import { all, any, seats, type Case } from './case.ts'

const options = {
  veto: 'final',
  requesterMayVote: false,
  recheckEligibility: false,
  singleVote: true,
} as const

/** Votes of which each takes one seat and none is taken back (contract privx §4.3). */
export const single: readonly Case[] = [
  {
    title: 'a voter who holds two seats of a stage fills the first, and no other',
    options,
    stages: [all(seats(1, 'security'), seats(1, 'finance'))],
    steps: [
      [1, 'dana approves', 'open [1 0]'],
      [2, 'dana approves', 'no: already-voted'],
      [3, 'dana vetoes', 'no: already-voted'],
      [4, 'ben approves', 'no: no-free-seat'],
      [5, 'eli approves', 'approved at stage 1'],
    ],
  },
  {
    title: 'a seat that is taken leaves the next one that the voter holds',
    options,
    stages: [all(seats(1, 'security'), seats(1, 'finance'))],
    steps: [
      [1, 'ben approves', 'open [1 0]'],
      [2, 'dana may vote', 'yes'],
      [3, 'dana approves', 'approved at stage 1'],
    ],
  },
  {
    title: 'a seat asks for as many voters as its rule says',
    options,
    stages: [all(seats(2, 'security'), seats(1, 'finance'))],
    steps: [
      [1, 'ben approves', 'open [1 0]'],
      [2, 'dana approves', 'open [2 0]'],
      [3, 'cleo approves', 'no: no-free-seat'],
      [4, 'cleo may vote', 'no: no-free-seat'],
      [5, 'ben may vote', 'no: no-free-seat'],
    ],
  },
  {
    title: 'one of several seats is enough where any will do',
    options,
    stages: [any(seats(1, 'security'), seats(1, 'finance'))],
    steps: [
      [1, 'gus approves', 'no: not-eligible no-seat'],
      [2, 'eli approves', 'approved at stage 1'],
      [3, 'ben approves', 'no: terminal approved'],
    ],
  },
  {
    title: 'whoever acted in one stage may act in the next',
    options,
    stages: [seats(1, 'security'), seats(1, 'finance')],
    steps: [
      [1, 'eli approves', 'no: not-eligible no-seat'],
      [2, 'dana approves', 'open at stage 1 [0]'],
      [3, 'dana approves', 'approved at stage 2'],
    ],
  },
  {
    title: 'a veto ends the request at once, for whoever holds a free seat',
    options,
    stages: [all(seats(1, 'security'), seats(1, 'finance'))],
    steps: [
      [1, 'ben approves', 'open [1 0]'],
      [2, 'cleo vetoes', 'no: no-free-seat'],
      [3, 'eli vetoes', 'rejected'],
    ],
  },
  {
    title: 'no vote is taken back',
    options,
    stages: [seats(2, 'security')],
    steps: [
      [1, 'ben withdraws', 'no: vote-is-final'],
      [2, 'ben approves', 'open [1]'],
      [3, 'ben withdraws', 'no: already-voted'],
    ],
  },
  {
    title: 'a veto that is only recorded was the voter’s one vote',
    options: { ...options, veto: 'ignored' },
    stages: [seats(1, 'security')],
    steps: [
      [1, 'ben vetoes', 'open [0 vetoes 1]'],
      [2, 'ben approves', 'no: already-voted'],
      [3, 'cleo approves', 'approved at stage 1'],
    ],
  },
  {
    title: 'on other content everyone votes anew',
    options,
    stages: [seats(2, 'security')],
    steps: [
      [1, 'ben approves', 'open [1]'],
      [2, 'it is amended', 'open [0]'],
      [3, 'ben approves', 'open [1]'],
    ],
  },
  {
    title: 'who names seats fills the first of those',
    options,
    stages: [all(seats(1, 'security'), seats(1, 'finance'))],
    steps: [
      [1, 'dana approves for garden', 'no: seat-not-held group,garden'],
      [2, 'dana approves for nothing', 'no: no-free-seat'],
      [3, 'dana approves for finance', 'open [0 1]'],
    ],
  },
  {
    title: 'an agent and its person are one voter where agents count as their person',
    options: { ...options, naturalPersons: true },
    stages: [seats(2, 'security')],
    steps: [
      [1, 'bot approves', 'open [1]'],
      [2, 'ben approves', 'no: already-voted'],
      [3, 'cleo approves', 'approved at stage 1'],
    ],
  },
  {
    title: 'and take one seat of a stage between them, though each holds another',
    options: { ...options, naturalPersons: true },
    people: [{ principal: 'gus', person: 'eli' }],
    stages: [all(seats(1, 'finance'), seats(1, 'garden')), seats(1, 'garden')],
    steps: [
      [1, 'eli approves', 'open [1 0]'],
      [2, 'gus may vote', 'no: already-voted'],
      [3, 'gus approves', 'no: already-voted'],
      [4, 'gus vetoes', 'no: already-voted'],
    ],
  },
  {
    title: 'nor does an agent of who asked decide where agents count as their person',
    options: { ...options, naturalPersons: true },
    requester: 'ben',
    beneficiary: 'eli',
    people: [{ principal: 'gus', person: 'eli' }],
    stages: [all(seats(1, 'security'), seats(1, 'garden'))],
    steps: [
      [1, 'bot approves', 'no: requester-excluded'],
      [2, 'gus vetoes', 'no: beneficiary-excluded'],
    ],
  },
  {
    title: 'neither who asked nor whom it is for decides, and they are told so first',
    options,
    requester: 'eli',
    beneficiary: 'ben',
    stages: [seats(1, 'security')],
    steps: [
      [1, 'eli approves', 'no: requester-excluded'],
      [2, 'ben approves', 'no: beneficiary-excluded'],
      [3, 'ben vetoes', 'no: beneficiary-excluded'],
      [4, 'cleo approves', 'approved at stage 1'],
      [5, 'ben approves', 'no: terminal approved'],
    ],
  },
  {
    title: 'whom it is for does not decide where votes are not single either',
    beneficiary: 'ben',
    stages: [seats(1, 'security')],
    steps: [
      [1, 'ben may vote', 'no: beneficiary-excluded'],
      [2, 'bot approves', 'approved at stage 1'],
    ],
  },
  {
    title: 'nor does an agent of whom it is for, where agents count as their person',
    options: { naturalPersons: true },
    beneficiary: 'ben',
    stages: [seats(1, 'security')],
    steps: [[1, 'bot approves', 'no: beneficiary-excluded']],
  },
  {
    title: 'where the requester may vote, so may whom it is for',
    options: { requesterMayVote: true },
    requester: 'cleo',
    beneficiary: 'ben',
    stages: [seats(1, 'security')],
    steps: [[1, 'ben approves', 'approved at stage 1']],
  },
]
