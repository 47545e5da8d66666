import { all, seats, type Case } from './case.ts'

export const veto: readonly Case[] = [
  {
    title: 'a veto rejects until it is withdrawn',
    stages: [seats(2, 'security')],
    steps: [
      [1, 'ben approves', 'open [1]'],
      [2, 'dana vetoes', 'rejected [1 vetoes 1]'],
      [3, 'dana withdraws', 'open [1]'],
      [4, 'cleo approves', 'approved at stage 1'],
    ],
  },
  {
    title: 'withdrawing the last veto approves at once what has its quorum',
    stages: [seats(2, 'security')],
    steps: [
      [1, 'dana vetoes', 'rejected [0 vetoes 1]'],
      [2, 'eli approves', 'no: not-eligible no-seat'],
      [3, 'ben approves', 'rejected [1 vetoes 1]'],
      [4, 'cleo approves', 'rejected [2 vetoes 1]'],
      [5, 'dana withdraws', 'approved at stage 1'],
    ],
  },
  {
    title: 'every veto must be withdrawn',
    stages: [seats(1, 'security')],
    steps: [
      [1, 'ben vetoes', 'rejected [0 vetoes 1]'],
      [2, 'cleo vetoes', 'rejected [0 vetoes 2]'],
      [3, 'cleo vetoes', 'rejected [0 vetoes 2]'],
      [4, 'cleo withdraws', 'rejected [0 vetoes 1]'],
      [5, 'ben withdraws', 'open [0]'],
    ],
  },
  {
    title: 'a veto replaces its voter’s approval, and an approval the veto',
    stages: [all(seats(2, 'security'), seats(1, 'finance'))],
    steps: [
      [1, 'dana approves', 'open [1 1]'],
      [2, 'dana vetoes', 'rejected [0 0 vetoes 1]'],
      [3, 'ben approves', 'rejected [1 0 vetoes 1]'],
      [4, 'dana approves', 'approved at stage 1'],
    ],
  },
  {
    title: 'the first veto ends a request where a denial is final',
    options: { veto: 'final' },
    stages: [seats(2, 'security')],
    steps: [
      [1, 'ben approves', 'open [1]'],
      [2, 'ben vetoes', 'rejected [0 vetoes 1]'],
      [3, 'ben withdraws', 'no: terminal rejected'],
      [4, 'cleo approves', 'no: terminal rejected'],
      [5, 'ben may vote', 'no: terminal rejected'],
      [6, 'it is canceled', 'no: terminal rejected'],
      [7, 'it is amended', 'no: terminal rejected'],
      [1000, 'the clock ticks', 'no: terminal rejected'],
    ],
  },
  {
    title: 'a veto that is only recorded rejects nothing, but its voter’s approval no longer stands',
    options: { veto: 'ignored' },
    stages: [seats(2, 'security')],
    steps: [
      [1, 'ben approves', 'open [1]'],
      [2, 'ben vetoes', 'open [0 vetoes 1]'],
      [3, 'cleo approves', 'open [1 vetoes 1]'],
      [4, 'dana approves', 'approved at stage 1'],
    ],
  },
  {
    title: 'a veto stays when its voter is removed from the group',
    stages: [seats(1, 'finance')],
    steps: [
      [1, 'eli vetoes', 'rejected'],
      [2, 'eli leaves finance', 'rejected'],
      [3, 'dana approves', 'rejected [1 vetoes 1]'],
      [4, 'eli withdraws', 'no: not-eligible no-group'],
      [5, 'it is amended', 'open [0]'],
    ],
  },
  {
    title: 'a veto after the approval comes too late',
    stages: [seats(1, 'finance')],
    steps: [
      [1, 'eli approves', 'approved at stage 1'],
      [2, 'dana vetoes', 'no: terminal approved'],
      [3, 'it is canceled', 'no: terminal approved'],
      [4, 'it is amended', 'no: terminal approved'],
      [1000, 'the clock ticks', 'no: terminal approved'],
    ],
  },
]
