import { writeFileSync } from 'node:fs'
import { verifierKeyText } from '../../src/proof/note.ts'
import { pemOf } from '../helpers/signing.ts'
import { verdictOn, trusting, voterKeys } from '../helpers/receipts.ts'
import { chance } from '../kernel/cases.ts'
import { forgeryOf, forgeryKinds } from './insider.ts'
import { changeField, mutantOf } from './mutations.ts'
import { readCanonical } from '../../src/proof/canonical-json.ts'
import { fileOfStatement, fileTelling } from './told.ts'
import { goodTrial, newGround, newLoot } from './trials.ts'
import { newVoter } from './voters.ts'
const [, , good, mutants, resigned, seed] = process.argv.map(Number)
const ground = newGround()
const dir = '/tmp/pyv'
const lines: string[] = []
const pem = (v: { id: string; publicKey: any }) => { const p = `${dir}/${v.id}.pem`; writeFileSync(p, pemOf(v.publicKey)); return `${v.id}=${p}` }
const voterArgs = ground.voters.flatMap((v) => ['--voter-key', pem(v)])
const { name, type, publicKey } = ground.signer.key
const keyArgs = ['--key', verifierKeyText(name, type, publicKey)]
const put = (how: string, receipt: string, args: string[], trust: any) => lines.push(JSON.stringify({ how, receipt, args, ts: verdictOn(receipt, trust) }))
for (let n = 0; n < good!; n++) {
  const t = await goodTrial(ground, seed!, n)
  const args = [...keyArgs]
  if (t.trust.policy !== null) args.push('--policy', t.trust.policy)
  if (t.trust.voterKeys.size > 0) args.push(...voterArgs)
  for (const u of t.trust.unsigned) args.push('--unsigned', u)
  put(`good ${n}`, t.file, args, t.trust)
  const dice = chance(seed! + 1000, n)
  for (let m = 0; m < mutants!; m++) { const x = mutantOf(t.file, dice, ground.stranger); put(x.how, x.file, args, t.trust) }
  const { payload } = JSON.parse(t.file)
  for (let m = 0; m < resigned!; m++) {
    const s = readCanonical(Buffer.from(payload, 'base64').toString())
    const how = changeField(s, dice)
    put(`resigned ${how}`, fileOfStatement(s, ground.signer), args, t.trust)
  }
}
const two = [newVoter('01900000-0000-7000-8000-000000000001'), newVoter('01900000-0000-7000-8000-000000000002')]
const loot = newLoot(two)
const trust = trusting([ground.signer.key], { voterKeys: voterKeys(...two) })
const largs = [...keyArgs, ...two.flatMap((v) => ['--voter-key', pem(v)])]
for (const told of [loot.honest, loot.elsewhere, loot.vetoed]) put('loot honest', await fileTelling(told, { signer: ground.signer, others: 1 }), largs, trust)
for (let n = 0; n < forgeryKinds * 2; n++) {
  const d = chance(9, n); const { how, told } = forgeryOf(n, loot, d)
  put(`forgery ${how}`, await fileTelling(told, { signer: ground.signer, others: d.below(4) }), largs, trust)
}
writeFileSync(`${dir}/lines.jsonl`, lines.join('\n') + '\n')
console.log(lines.length)
