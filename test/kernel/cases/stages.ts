import { advisory, all, seats, type Case } from './case.ts'

export const stages: readonly Case[] = [
  {
    title: 'stages open in order, each with nothing standing',
    stages: [seats(1, 'security'), seats(2, 'security')],
    steps: [
      [1, 'ben approves', 'open at stage 1 [0]'],
      [2, 'cleo approves', 'open at stage 1 [1]'],
      [3, 'ben approves', 'approved at stage 2 []'],
    ],
  },
  {
    title: 'one vote passes one stage, even if its voter sits in the next',
    stages: [seats(1, 'finance'), seats(1, 'finance')],
    steps: [
      [1, 'dana approves', 'open at stage 1 [0]'],
      [2, 'dana approves', 'approved at stage 2'],
    ],
  },
  {
    title: 'only who sits in the open stage may vote',
    stages: [seats(1, 'security'), seats(1, 'finance')],
    steps: [
      [1, 'eli approves', 'no: not-eligible no-seat'],
      [2, 'ben approves', 'open at stage 1 [0]'],
      [3, 'ben withdraws', 'no: not-eligible no-seat'],
      [4, 'eli approves', 'approved at stage 2'],
    ],
  },
  {
    title: 'an advisory stage is collected, and passes when its rule holds',
    stages: [advisory(all(seats(1, 'garden'), seats(1, 'security'))), seats(1, 'finance')],
    steps: [
      [1, 'gus approves', 'open [1 0]'],
      [2, 'cleo approves', 'open at stage 1 [0]'],
      [3, 'eli approves', 'approved at stage 2'],
    ],
  },
  {
    title: 'an advisory stage is closed by command, a binding one is not',
    stages: [advisory(seats(2, 'security')), seats(1, 'finance')],
    steps: [
      [1, 'ben approves', 'open [1]'],
      [2, 'the stage is closed', 'open at stage 1 [0]'],
      [3, 'the stage is closed', 'no: stage-not-advisory'],
      [4, 'eli approves', 'approved at stage 2'],
      [5, 'the stage is closed', 'no: terminal approved'],
    ],
  },
  {
    title: 'advisory stages after the last binding one are not waited for',
    stages: [seats(1, 'finance'), advisory(seats(1, 'security')), advisory(seats(1, 'garden'))],
    steps: [
      [1, 'eli approves', 'approved at stage 1 [0]'],
      [2, 'ben approves', 'no: terminal approved'],
    ],
  },
  {
    title: 'an advisory stage between binding ones is waited for',
    stages: [seats(1, 'finance'), advisory(seats(1, 'garden')), seats(1, 'security')],
    steps: [
      [1, 'eli approves', 'open at stage 1'],
      [2, 'the stage is closed', 'open at stage 2'],
      [3, 'ben approves', 'approved at stage 3'],
    ],
  },
  {
    title: 'an advisory stage passes neither by votes nor by command while a veto stands',
    stages: [advisory(seats(1, 'security')), seats(1, 'finance')],
    steps: [
      [1, 'ben vetoes', 'rejected [0 vetoes 1]'],
      [2, 'cleo approves', 'rejected [1 vetoes 1]'],
      [3, 'the stage is closed', 'no: veto-stands'],
      [4, 'ben withdraws', 'open at stage 1 [0]'],
    ],
  },
  {
    title: 'an advisory stage with a veto that is only recorded can be closed',
    options: { veto: 'ignored' },
    stages: [advisory(seats(1, 'security')), seats(1, 'finance')],
    steps: [
      [1, 'ben vetoes', 'open [0 vetoes 1]'],
      [2, 'the stage is closed', 'open at stage 1 [0]'],
    ],
  },
]
