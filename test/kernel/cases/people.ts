import { advisory, all, any, atLeast, seats, type Case } from './case.ts'

const persons = { naturalPersons: true }
const distinct = { distinctPeople: true }

export const people: readonly Case[] = [
  {
    title: 'an agent counts for itself unless the policy counts natural persons',
    stages: [seats(2, 'security')],
    steps: [
      [1, 'ben approves', 'open [1]'],
      [2, 'bot approves', 'approved at stage 1'],
    ],
  },
  {
    title: 'a person and their agent are one voter',
    options: persons,
    stages: [seats(2, 'security')],
    steps: [
      [1, 'ben approves', 'open [1]'],
      [2, 'bot approves', 'open [1]'],
      [3, 'cleo approves', 'approved at stage 1'],
    ],
  },
  {
    title: 'the voter holds a seat while any of their principals approves for it',
    options: persons,
    stages: [all(seats(3, 'security'), seats(1, 'garden'))],
    steps: [
      [1, 'ben approves', 'open [1 1]'],
      [2, 'bot approves', 'open [1 1]'],
      [3, 'ben withdraws', 'open [1 0]'],
      [4, 'bot withdraws', 'open [0 0]'],
    ],
  },
  {
    title: 'a person and their agent fill different seats',
    options: persons,
    people: [{ principal: 'gus', person: 'eli' }],
    stages: [all(seats(1, 'finance'), seats(1, 'garden'))],
    steps: [
      [1, 'eli approves', 'open [1 0]'],
      [2, 'gus approves', 'approved at stage 1'],
    ],
  },
  {
    title: 'a veto by one of a person’s principals stands until that principal takes it back',
    options: persons,
    stages: [seats(1, 'security')],
    steps: [
      [1, 'bot vetoes', 'rejected [0 vetoes 1]'],
      [2, 'ben approves', 'rejected [1 vetoes 1]'],
      [3, 'ben withdraws', 'rejected [0 vetoes 1]'],
      [4, 'ben vetoes', 'rejected [0 vetoes 2]'],
      [5, 'bot withdraws', 'rejected [0 vetoes 1]'],
      [6, 'bot approves', 'rejected [1 vetoes 1]'],
      [7, 'ben withdraws', 'approved at stage 1'],
    ],
  },
  {
    title: 'the requester’s agent is excluded where natural persons are counted, and only there',
    options: persons,
    requester: 'ben',
    stages: [advisory(seats(1, 'security')), seats(2, 'security')],
    steps: [
      [1, 'ben may vote', 'no: requester-excluded'],
      [2, 'bot approves', 'no: requester-excluded'],
      [3, 'cleo approves', 'open at stage 1'],
    ],
  },
  {
    title: 'the requester’s agent is somebody else where principals are counted',
    requester: 'ben',
    stages: [seats(1, 'security')],
    steps: [[1, 'bot approves', 'approved at stage 1']],
  },
  {
    title: 'who asks through their agent is excluded as well',
    options: persons,
    requester: 'bot',
    stages: [seats(1, 'security')],
    steps: [
      [1, 'ben approves', 'no: requester-excluded'],
      [2, 'bot approves', 'no: requester-excluded'],
    ],
  },
  {
    title: 'principals of no known person are voters of their own',
    options: persons,
    requester: 'ada',
    people: [
      { principal: 'ada', person: null },
      { principal: 'ben', person: null },
      { principal: 'cleo', person: null },
    ],
    stages: [seats(2, 'security')],
    steps: [
      [1, 'ben approves', 'open [1]'],
      [2, 'cleo approves', 'approved at stage 1'],
    ],
  },
  {
    title: 'a vote is the person’s who answered for the agent when it was cast',
    options: persons,
    stages: [seats(3, 'security')],
    steps: [
      [1, 'bot approves', 'open [1]'],
      [2, 'bot comes under cleo', 'open [1]'],
      [3, 'cleo approves', 'open [2]'],
      [4, 'ben approves', 'open [2]'],
      [5, 'dana approves', 'approved at stage 1'],
    ],
  },
  {
    title: 'an agent that has come under another person votes anew as theirs; a recount corrects the tally',
    options: persons,
    stages: [seats(3, 'security')],
    steps: [
      [1, 'bot approves', 'open [1]'],
      [2, 'cleo approves', 'open [2]'],
      [3, 'bot comes under cleo', 'open [2]'],
      [4, 'bot approves', 'open [2]'],
      [5, 'ben approves', 'open [3]'],
      [6, 'dana approves', 'approved at stage 1'],
    ],
  },
  {
    title: 'what an agent takes back under another person is not taken from the one it voted for',
    options: persons,
    stages: [seats(3, 'security')],
    steps: [
      [1, 'bot approves', 'open [1]'],
      [2, 'ben approves', 'open [1]'],
      [3, 'bot comes under cleo', 'open [1]'],
      [4, 'bot withdraws', 'open [1]'],
      [5, 'cleo approves', 'open [2]'],
      [6, 'dana approves', 'approved at stage 1'],
    ],
  },
  {
    title: 'one voter fills one seat where the people must be distinct',
    options: distinct,
    stages: [all(seats(1, 'security'), seats(1, 'finance'))],
    steps: [
      [1, 'dana approves', 'open [1 1]'],
      [2, 'eli approves', 'approved at stage 1'],
    ],
  },
  {
    title: 'voters are moved between seats until all are filled, if that can be done',
    options: distinct,
    stages: [all(seats(1, 'security'), seats(1, 'garden'), seats(1, 'finance'))],
    steps: [
      [1, 'ben approves', 'open [1 1 0]'],
      [2, 'dana approves', 'open [2 1 1]'],
      [3, 'ben approves for garden', 'open [1 1 1]'],
      [4, 'cleo approves', 'approved at stage 1'],
    ],
  },
  {
    title: 'a seat that asks for two takes two of its own',
    options: distinct,
    stages: [all(seats(2, 'security'), seats(1, 'finance'))],
    steps: [
      [1, 'ben approves', 'open [1 0]'],
      [2, 'dana approves', 'open [2 1]'],
      [3, 'cleo approves', 'approved at stage 1'],
    ],
  },
  {
    title: 'distinct people matter only to the branches that are used',
    options: distinct,
    stages: [any(all(seats(1, 'security'), seats(1, 'finance')), seats(1, '@dana'))],
    steps: [[1, 'dana approves', 'approved at stage 1']],
  },
  {
    title: 'two of three seats by two of three people',
    options: distinct,
    stages: [atLeast(2, seats(1, 'security'), seats(1, 'finance'), seats(2, 'garden'))],
    steps: [
      [1, 'dana approves', 'open [1 1 0]'],
      [2, 'gus approves', 'open [1 1 1]'],
      [3, 'ben approves', 'approved at stage 1'],
    ],
  },
  {
    title: 'distinct people are persons where natural persons are counted',
    options: { ...persons, ...distinct },
    stages: [all(seats(1, 'garden'), seats(1, 'security'))],
    steps: [
      [1, 'ben approves for garden', 'open [1 0]'],
      [2, 'bot approves', 'open [1 1]'],
      [3, 'cleo approves', 'approved at stage 1'],
    ],
  },
]
