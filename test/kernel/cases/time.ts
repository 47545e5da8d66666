import { advisory, seats, type Case } from './case.ts'

export const time: readonly Case[] = [
  {
    title: 'one millisecond before the deadline a vote still decides',
    stages: [seats(1, 'finance')],
    steps: [
      [998, 'the clock ticks', 'open [0]'],
      [999, 'eli may vote', 'yes'],
      [999, 'eli approves', 'approved at stage 1'],
      [1000, 'the clock ticks', 'no: terminal approved'],
      [2000, 'dana approves', 'no: terminal approved'],
    ],
  },
  {
    title: 'at the deadline everything is refused, though nothing has written that the request is expired',
    stages: [advisory(seats(1, 'finance')), seats(1, 'finance')],
    steps: [
      [1000, 'eli may vote', 'no: expired'],
      [1000, 'eli approves', 'no: expired'],
      [1000, 'it is canceled', 'no: expired'],
      [1000, 'the stage is closed', 'no: expired'],
      [1000, 'it is amended', 'no: expired'],
      [1000, 'the clock ticks', 'expired [0]'],
      [1001, 'the clock ticks', 'no: terminal expired'],
      [999, 'eli approves', 'no: terminal expired'],
      [999, 'it is canceled', 'no: terminal expired'],
    ],
  },
  {
    title: 'a request that a veto rejected expires as well',
    stages: [seats(1, 'finance')],
    steps: [
      [1, 'eli vetoes', 'rejected'],
      [999, 'the clock ticks', 'rejected [0 vetoes 1]'],
      [1000, 'eli withdraws', 'no: expired'],
      [1000, 'the clock ticks', 'expired'],
    ],
  },
  {
    title: 'a canceled request stays canceled',
    stages: [seats(2, 'finance')],
    steps: [
      [1, 'eli approves', 'open [1]'],
      [2, 'it is canceled', 'canceled [1]'],
      [3, 'dana approves', 'no: terminal canceled'],
      [3, 'it is canceled', 'no: terminal canceled'],
      [3, 'the stage is closed', 'no: terminal canceled'],
      [1000, 'the clock ticks', 'no: terminal canceled'],
    ],
  },
  {
    title: 'a request that a veto rejected can be canceled',
    stages: [seats(2, 'finance')],
    steps: [
      [1, 'eli vetoes', 'rejected'],
      [2, 'it is canceled', 'canceled'],
    ],
  },
  {
    title: 'an amendment begins again with nothing standing',
    stages: [seats(1, 'security'), seats(2, 'finance')],
    steps: [
      [1, 'ben approves', 'open at stage 1 [0]'],
      [2, 'eli approves', 'open at stage 1 [1]'],
      [3, 'it is amended', 'open [0]'],
      [4, 'ben approves on the old content', 'no: stale-digest'],
      [5, 'ben vetoes on the old content', 'no: stale-digest'],
      [6, 'ben withdraws on the old content', 'no: stale-digest'],
      [7, 'ben withdraws', 'open [0]'],
      [8, 'ben approves', 'open at stage 1 [0]'],
      [9, 'eli approves', 'open at stage 1 [1]'],
      [10, 'dana approves', 'approved at stage 2'],
    ],
  },
  {
    title: 'an amendment opens what a veto had rejected, and the veto on the old content is gone',
    stages: [seats(2, 'finance')],
    steps: [
      [1, 'dana approves', 'open [1]'],
      [2, 'eli vetoes', 'rejected [1 vetoes 1]'],
      [3, 'it is amended', 'open [0]'],
      [4, 'eli approves', 'open [1]'],
      [5, 'dana approves', 'approved at stage 1'],
    ],
  },
]
