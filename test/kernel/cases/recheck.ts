import { all, seats, type Case } from './case.ts'

const atTheVote = { recheckEligibility: false }

export const recheck: readonly Case[] = [
  {
    title: 'who has left the group no longer counts when the decision falls',
    stages: [seats(2, 'security')],
    steps: [
      [1, 'ben approves', 'open [1]'],
      [2, 'ben leaves security', 'open [1]'],
      [3, 'cleo approves', 'open [2]'],
      [4, 'dana approves', 'approved at stage 1'],
    ],
  },
  {
    title: 'who has come back counts again, at the next vote',
    stages: [seats(2, 'security')],
    steps: [
      [1, 'ben approves', 'open [1]'],
      [2, 'ben leaves security', 'open [1]'],
      [3, 'cleo approves', 'open [2]'],
      [4, 'ben joins security', 'open [2]'],
      [5, 'bot withdraws', 'approved at stage 1'],
    ],
  },
  {
    title: 'who is disabled, or has lost the right, no longer counts',
    stages: [seats(3, 'security')],
    steps: [
      [1, 'ben approves', 'open [1]'],
      [2, 'cleo approves', 'open [2]'],
      [3, 'ben is disabled', 'open [2]'],
      [4, 'cleo loses the right', 'open [2]'],
      [5, 'dana approves', 'open [3]'],
      [6, 'bot approves', 'open [4]'],
      [7, 'ben is enabled', 'open [4]'],
      [8, 'dana approves', 'approved at stage 1'],
    ],
  },
  {
    title: 'only the seat that was lost is lost',
    stages: [all(seats(2, 'security'), seats(1, 'finance'))],
    steps: [
      [1, 'dana approves', 'open [1 1]'],
      [2, 'dana leaves security', 'open [1 1]'],
      [3, 'ben approves', 'open [2 1]'],
      [4, 'cleo approves', 'approved at stage 1'],
    ],
  },
  {
    title: 'a vote is not joined by what its voter approved before',
    stages: [all(seats(2, 'security'), seats(1, 'finance'))],
    steps: [
      [1, 'eli approves', 'open [0 1]'],
      [2, 'eli leaves finance', 'open [0 1]'],
      [3, 'dana approves', 'open [1 2]'],
      [4, 'ben approves for garden', 'open [1 2]'],
      [5, 'cleo approves for nothing', 'open [1 2]'],
      [6, 'dana approves for finance', 'open [0 2]'],
      [7, 'dana approves', 'open [1 2]'],
      [8, 'dana leaves finance', 'open [1 2]'],
      [9, 'ben approves', 'open [2 2]'],
      [10, 'dana joins finance', 'open [2 2]'],
      [11, 'dana approves for security', 'open [2 1]'],
      [12, 'dana approves', 'approved at stage 1'],
    ],
  },
  {
    title: 'eligibility is fixed at the vote where the policy says so',
    options: atTheVote,
    stages: [seats(2, 'security')],
    steps: [
      [1, 'ben approves', 'open [1]'],
      [2, 'ben leaves security', 'open [1]'],
      [3, 'ben is disabled', 'open [1]'],
      [4, 'cleo approves', 'approved at stage 1'],
    ],
  },
  {
    title: 'joining a group after the vote adds nothing to it',
    options: atTheVote,
    stages: [all(seats(1, 'finance'), seats(2, 'security'))],
    steps: [
      [1, 'ben approves', 'open [0 1]'],
      [2, 'ben joins finance', 'open [0 1]'],
      [3, 'cleo approves', 'open [0 2]'],
      [4, 'ben approves', 'approved at stage 1'],
    ],
  },
  {
    title: 'with distinct people and eligibility fixed at the vote, who left still fills a seat',
    options: { ...atTheVote, distinctPeople: true },
    stages: [all(seats(1, 'finance'), seats(1, 'security'))],
    steps: [
      [1, 'eli approves', 'open [1 0]'],
      [2, 'eli leaves finance', 'open [1 0]'],
      [3, 'cleo approves', 'approved at stage 1'],
    ],
  },
]
