import { beforeAll, describe, expect, it } from 'vitest'
import { cosigner } from '../../src/proof/cosignature.ts'
import { generateKeyPairSync } from 'node:crypto'
import { trusting, verdictOn } from '../helpers/receipts.ts'
import { byTwoKeys } from './custody-told.ts'
import { evidenceMutants } from './evidence-mutants.ts'
import { forgeryKinds } from './insider.ts'
import { keyForgeryKinds } from './key-insider.ts'
import { fileTelling, type Told } from './told.ts'
import {
  acceptedMutants,
  believedForgeries,
  believedKeyForgeries,
  goodTrial,
  newGround,
  type Ground,
} from './trials.ts'

let ground: Ground
beforeAll(() => void (ground = newGround()))

describe('a short run of the campaign', () => {
  it('verifies receipts of every shape', async () => {
    const refused: string[] = []
    for (let number = 0; number < 400; number++) {
      const { file, trust } = await goodTrial(ground, 1, number)
      const said = verdictOn(file, trust)
      if (said !== 'verified') refused.push(`${number}: ${said}`)
    }
    expect(refused).toEqual([])
  })

  it('believes no mutant', async () => {
    for (let number = 0; number < 100; number++) {
      expect(acceptedMutants(await goodTrial(ground, 2, number), ground, 20, number)).toEqual([])
    }
  })

  it('believes no forgery of whoever owns the server, of any kind', async () => {
    expect(await believedForgeries(ground.signer, forgeryKinds * 2, 3)).toEqual([])
  })

  it('believes no forgery of what security keys approve, of any kind', async () => {
    expect(await believedKeyForgeries(ground.signer, keyForgeryKinds * 2, 3)).toEqual([])
  })

  it('believes no answer of a security key of which any field or byte was changed, whatever else was made to fit', async () => {
    const trust = trusting([ground.signer.key])
    const verdictOf = async (told: Told) =>
      verdictOn(await fileTelling(told, { signer: ground.signer, others: 1 }), trust)
    expect(await verdictOf(byTwoKeys)).toBe('verified')
    const believed: string[] = []
    let mutants = 0
    for (const { how, told } of evidenceMutants(byTwoKeys)) {
      mutants += 1
      if ((await verdictOf(told)) === 'verified') believed.push(how)
    }
    expect(believed).toEqual([])
    expect(mutants).toBeGreaterThan(500)
  })
})

it('asks for every witness that is named', async () => {
  const witness = cosigner('witness.example', generateKeyPairSync('ed25519').privateKey)
  const other = cosigner('other.example', generateKeyPairSync('ed25519').privateKey)
  const { told, trust } = await goodTrial(ground, 1, 1)
  const file = await fileTelling(told, { signer: ground.signer, witnesses: [witness], others: 2 })
  expect(verdictOn(file, trust)).toBe('verified')
  expect(verdictOn(file, { ...trust, witnessKeys: [witness.key] })).toBe('verified')
  expect(verdictOn(file, { ...trust, witnessKeys: [witness.key, other.key] })).toMatch(/^witness-missing/)
  const strange = trusting([ground.stranger.key])
  expect(verdictOn(file, strange)).toMatch(/^unknown-key/)
})
