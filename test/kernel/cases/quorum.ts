import { all, any, atLeast, seats, type Case } from './case.ts'

export const quorum: readonly Case[] = [
  {
    title: 'a seat is filled by as many distinct voters as it asks for',
    stages: [seats(2, 'security')],
    steps: [
      [1, 'ben approves', 'open [1]'],
      [2, 'cleo approves', 'approved at stage 1 []'],
    ],
  },
  {
    title: 'a voter counts once per seat however often they approve',
    stages: [seats(2, 'security')],
    steps: [
      [1, 'ben approves', 'open [1]'],
      [2, 'ben approves', 'open [1]'],
      [3, 'ben approves for security, garden', 'open [1]'],
      [4, 'ben approves for security, security', 'open [1]'],
    ],
  },
  {
    title: 'all of the branches must hold',
    stages: [all(seats(2, 'security'), seats(1, 'finance'))],
    steps: [
      [1, 'ben approves', 'open [1 0]'],
      [2, 'cleo approves', 'open [2 0]'],
      [3, 'eli approves', 'approved at stage 1'],
    ],
  },
  {
    title: 'one branch is enough where any will do',
    stages: [any(seats(2, 'security'), seats(1, 'finance'))],
    steps: [
      [1, 'ben approves', 'open [1 0]'],
      [2, 'eli approves', 'approved at stage 1'],
    ],
  },
  {
    title: 'two of three branches, nested in one of which both must hold',
    stages: [atLeast(2, all(seats(1, 'security'), seats(1, 'finance')), seats(1, '@fay'), seats(1, 'garden'))],
    steps: [
      [1, 'fay approves', 'open [0 0 1 0]'],
      [2, 'cleo approves', 'open [1 0 1 0]'],
      [3, 'eli approves', 'approved at stage 1'],
    ],
  },
  {
    title: 'one voter fills a seat in every branch that they hold it in',
    stages: [all(seats(1, 'security'), seats(1, 'finance'), seats(1, 'security'))],
    steps: [[1, 'dana approves', 'approved at stage 1']],
  },
  {
    title: 'a vote fills only the seats that it names',
    stages: [all(seats(1, 'security'), seats(1, 'finance'))],
    steps: [
      [1, 'dana approves for finance', 'open [0 1]'],
      [2, 'dana approves for security', 'open [1 0]'],
      [3, 'dana approves for security, finance', 'approved at stage 1'],
    ],
  },
  {
    title: 'an approval that names no seat counts for nothing and replaces what its voter did before',
    stages: [seats(2, 'security')],
    steps: [
      [1, 'ben approves', 'open [1]'],
      [2, 'ben approves for nothing', 'open [0]'],
      [3, 'cleo approves', 'open [1]'],
    ],
  },
  {
    title: 'seats that the open stage does not mention may be named by those who hold them and count for nothing',
    stages: [seats(2, 'security')],
    steps: [
      [1, 'ben approves for garden', 'open [0]'],
      [2, 'ben approves for @ben', 'open [0]'],
      [3, 'ben approves for security, garden, @ben', 'open [1]'],
    ],
  },
  {
    title: 'a seat that the voter does not hold is refused, and nothing is stored',
    stages: [seats(2, 'security')],
    steps: [
      [1, 'ben approves', 'open [1]'],
      [2, 'ben approves for security, finance', 'no: seat-not-held group,finance'],
      [3, 'ben withdraws for finance', 'no: seat-not-held group,finance'],
      [4, 'ben vetoes for @cleo', 'no: seat-not-held principal,cleo'],
      [5, 'cleo approves for security', 'approved at stage 1'],
    ],
  },
  {
    title: 'a withdrawal takes back an approval, and no other',
    stages: [all(seats(2, 'security'), seats(2, 'finance'))],
    steps: [
      [1, 'dana approves', 'open [1 1]'],
      [2, 'ben approves', 'open [2 1]'],
      [3, 'dana withdraws', 'open [1 0]'],
      [4, 'dana withdraws', 'open [1 0]'],
      [5, 'dana approves for finance', 'open [1 1]'],
      [6, 'eli approves', 'open [1 2]'],
      [7, 'cleo approves', 'approved at stage 1'],
    ],
  },
  {
    title: 'a principal who is named fills their own seat, in no group at all',
    stages: [all(seats(1, '@fay'), seats(1, 'finance'))],
    steps: [
      [1, 'eli approves', 'open [0 1]'],
      [2, 'eli approves for @fay', 'no: seat-not-held principal,fay'],
      [3, 'fay approves', 'approved at stage 1'],
    ],
  },
  {
    title: 'a seat that asks for more than there are stays open',
    stages: [seats(3, 'finance')],
    steps: [
      [1, 'dana approves', 'open [1]'],
      [2, 'eli approves', 'open [2]'],
    ],
  },
  {
    title: 'without a recount the tally decides by itself',
    options: { recheckEligibility: false },
    stages: [all(seats(2, 'security'), seats(1, 'finance'))],
    steps: [
      [1, 'dana approves', 'open [1 1]'],
      [2, 'dana approves for finance', 'open [0 1]'],
      [3, 'ben approves', 'open [1 1]'],
      [4, 'cleo approves', 'approved at stage 1'],
    ],
  },
]
