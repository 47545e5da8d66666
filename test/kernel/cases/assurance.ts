import { all, any, seats, type Case } from './case.ts'

export const assurance: readonly Case[] = [
  {
    title: 'an approval must prove what its seat demands',
    stages: [seats(1, 'security', 'password', 'securityKey')],
    steps: [
      [1, 'ben may vote', 'yes password securityKey'],
      [2, 'ben approves proving nothing', 'no: assurance-missing password,securityKey'],
      [3, 'ben approves proving password', 'no: assurance-missing securityKey'],
      [4, 'ben approves proving securityKey, password', 'approved at stage 1'],
    ],
  },
  {
    title: 'an approval must prove what every leaf for its seat demands',
    stages: [any(seats(1, 'security', 'stepUp'), seats(2, 'security', 'stepUp', 'password'))],
    steps: [
      [1, 'ben may vote', 'yes stepUp password'],
      [2, 'ben approves proving stepUp', 'no: assurance-missing password'],
      [3, 'ben approves', 'approved at stage 1'],
    ],
  },
  {
    title: 'an approval need not prove what only other seats demand',
    stages: [all(seats(1, 'security', 'stepUp'), seats(1, 'finance'))],
    steps: [
      [1, 'dana may vote', 'yes stepUp'],
      [2, 'dana approves proving nothing', 'no: assurance-missing stepUp'],
      [3, 'dana approves for finance proving nothing', 'open [0 1]'],
      [4, 'dana approves for nothing proving nothing', 'open [0 0]'],
      [5, 'eli may vote', 'yes'],
    ],
  },
  {
    title: 'who can never prove it is told so, and may still veto',
    people: [{ principal: 'cleo', provable: ['password'] }],
    stages: [seats(1, 'security', 'stepUp', 'password')],
    steps: [
      [1, 'bot may vote', 'yes'],
      [2, 'bot approves', 'no: assurance-impossible stepUp,password'],
      [3, 'cleo may vote', 'yes password'],
      [4, 'cleo approves', 'no: assurance-impossible stepUp'],
      [5, 'cleo approves proving nothing', 'no: assurance-impossible stepUp'],
      [6, 'bot vetoes', 'rejected [0 vetoes 1]'],
      [7, 'bot withdraws', 'open [0]'],
    ],
  },
  {
    title: 'a veto and a withdrawal prove nothing',
    stages: [seats(2, 'security', 'stepUp')],
    steps: [
      [1, 'ben approves', 'open [1]'],
      [2, 'ben withdraws proving nothing', 'open [0]'],
      [3, 'ben vetoes proving nothing', 'rejected'],
    ],
  },
  {
    title: 'where a veto needs assurance it must prove all that the seats held demand, and can be proven',
    options: { vetoNeedsAssurance: true },
    people: [{ principal: 'cleo', provable: ['password'] }],
    stages: [all(seats(2, 'security', 'stepUp', 'password'), seats(2, 'finance', 'securityKey'))],
    steps: [
      [1, 'dana vetoes for security proving stepUp, password', 'no: assurance-missing securityKey'],
      [2, 'dana vetoes for nothing proving nothing', 'no: assurance-missing stepUp,password,securityKey'],
      [3, 'dana vetoes', 'rejected'],
      [4, 'dana withdraws proving nothing', 'no: assurance-missing stepUp,password,securityKey'],
      [5, 'dana withdraws', 'open'],
      [6, 'cleo vetoes proving nothing', 'no: assurance-missing password'],
      [7, 'cleo vetoes proving password', 'rejected'],
      [8, 'bot vetoes proving nothing', 'rejected [0 0 vetoes 2]'],
      [9, 'dana approves for finance proving securityKey', 'rejected [0 1 vetoes 2]'],
    ],
  },
  {
    title: 'a seat that demands a signature is for who has a key to sign with, and for nobody else',
    people: [
      { principal: 'bot', person: 'ben', provable: ['signature'] },
      { principal: 'ben', provable: ['stepUp'] },
    ],
    stages: [seats(1, 'security', 'signature')],
    steps: [
      [1, 'bot may vote', 'yes signature'],
      [2, 'bot approves proving nothing', 'no: assurance-missing signature'],
      [3, 'ben may vote', 'yes'],
      [4, 'ben approves', 'no: assurance-impossible signature'],
      [5, 'ben vetoes', 'rejected'],
      [6, 'ben withdraws', 'open'],
      [7, 'bot approves proving signature', 'approved at stage 1'],
    ],
  },
  {
    title: 'where a veto needs assurance whoever can sign signs their veto and their withdrawal too',
    options: { vetoNeedsAssurance: true },
    people: [
      { principal: 'bot', person: 'ben', provable: ['signature'] },
      { principal: 'ben', provable: ['stepUp'] },
    ],
    stages: [any(seats(2, 'security', 'signature'), seats(1, 'finance'))],
    steps: [
      [1, 'bot vetoes proving nothing', 'no: assurance-missing signature'],
      [2, 'bot vetoes proving signature', 'rejected'],
      [3, 'bot withdraws proving nothing', 'no: assurance-missing signature'],
      [4, 'bot withdraws proving signature', 'open'],
      [5, 'ben vetoes proving nothing', 'rejected'],
      [6, 'ben withdraws proving nothing', 'open'],
      [7, 'eli approves proving nothing', 'approved at stage 1'],
    ],
  },
  {
    title: 'a signature that nothing demands is taken and changes nothing',
    people: [{ principal: 'bot', person: 'ben', provable: ['signature'] }],
    stages: [seats(2, 'security')],
    steps: [
      [1, 'bot approves proving signature', 'open [1]'],
      [2, 'bot approves proving nothing', 'open [1]'],
      [3, 'cleo approves proving nothing', 'approved at stage 1'],
    ],
  },
  {
    title: 'no one can fill a seat that demands both a signature and a fresh sign-in',
    people: [
      { principal: 'bot', person: 'ben', provable: ['signature'] },
      { principal: 'ben', provable: ['stepUp'] },
    ],
    stages: [seats(1, 'security', 'stepUp', 'signature')],
    steps: [
      [1, 'bot may vote', 'yes signature'],
      [2, 'bot approves proving signature', 'no: assurance-impossible stepUp'],
      [3, 'ben approves proving stepUp', 'no: assurance-impossible signature'],
    ],
  },
]
