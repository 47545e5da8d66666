import { expect } from 'vitest'
import type { LeafKind } from '../../src/audit/leaf.ts'
import { nameSecurityKey, removeSecurityKey } from '../../src/identity/webauthn/security-keys.ts'
import { setPersonPassword } from '../../src/identity/credentials/person-password.ts'
import type { Tx } from '../../src/store/open.ts'
import { transact } from '../../src/store/unit-of-work.ts'
import { Authenticator } from '../helpers/authenticator.ts'
import { withFactors } from '../helpers/factors.ts'
import { ada, any, byAda, countedFacts, id, ids, newKeyFacts, text, world, type Facts, type Step } from './steps.ts'

/** The log of people is that of the organization that Ada belongs to. */
const toldTwice = (kind: LeafKind, facts: Facts): Pick<Step, 'leaves' | 'by'> => ({
  leaves: () => [
    [kind, facts],
    [kind, facts],
  ],
  by: () => [{ kind: 'person', id: id('ada.person') }, byAda()],
})

const key = new Authenticator()
const voter = () => withFactors(world).asVoter(ada)
const inTransaction = async (work: (tx: Tx, personId: string) => Promise<void>) => {
  const { personId } = await voter()
  await transact(world.ctx, null, (tx) => work(tx, personId))
}

/** Passwords and security keys of people, and a vote with both. */
export const factorSteps = (): readonly Step[] => [
  {
    name: 'a password: set',
    does: () => inTransaction((tx, personId) => setPersonPassword(world.ctx, tx, personId, text('password'))),
    ...toldTwice('password.changed', { credential: any, secretHmac: any }),
    changes: ['person_credentials'],
  },
  {
    name: 'a security key: registered',
    does: async () => await withFactors(world).addKey(await voter(), key, 'packed', text('key')),
    ...toldTwice('security-key.added', newKeyFacts('packed')),
    changes: ['person_credentials'],
  },
  {
    name: 'a request that needs a security key',
    does: async () => void (ids['proven'] = await withFactors(world).ask([await voter()], ['securityKey'])),
    leaves: () => [
      ['template.created', expect.any(Object)],
      ['request.created', expect.any(Object)],
    ],
    changes: ['policies', 'requests'],
  },
  {
    name: 'a vote with a security key and a password',
    does: async () => {
      const factors = withFactors(world)
      const ceremony = factors.ceremony(await factors.fido2(await voter(), id('proven')))
      await factors.approve(await voter(), id('proven'), { password: text('password'), fido2: key.assert(ceremony) })
    },
    leaves: () => [
      ['security-key.used', countedFacts],
      [
        'vote.cast',
        {
          seq: 1,
          stage: 0,
          stance: 'approve',
          seats: [ada.id],
          person: any,
          assurance: ['password', 'securityKey'],
          evidence: any,
          digest: any,
          policy: any,
          from: 'open',
          to: 'approved',
          toStage: 1,
        },
      ],
    ],
    changes: ['person_credentials', 'requests', 'votes'],
    by: () => [{ kind: 'person', id: id('ada.person') }, byAda()],
  },
  {
    name: 'a security key: renamed',
    does: () =>
      inTransaction((tx, personId) => nameSecurityKey(world.ctx, tx, personId, text('key'), text('other key'))),
    ...toldTwice('security-key.renamed', { key: any }),
    changes: ['person_credentials'],
  },
  {
    name: 'a security key: removed',
    does: () => inTransaction((tx, personId) => removeSecurityKey(world.ctx, tx, personId, text('other key'))),
    ...toldTwice('security-key.removed', { key: any }),
    changes: ['person_credentials'],
  },
]
