/** `npm run test:terms -- [CASES] [SEED]`: how the validity of a grant is worked out, against a naive calendar. */
import { compareTerms } from './compare-terms.ts'

const [cases = '1000000', seed = '1'] = process.argv.slice(2)
const { accepted, refused, disagreements } = compareTerms(Number(seed), Number(cases))
for (const disagreement of disagreements.slice(0, 10)) process.stderr.write(`${disagreement}\n`)
process.stdout.write(
  `${cases} definitions (${accepted} accepted, ${refused} refused, seed ${seed}, TZ ${process.env['TZ'] ?? 'unset'}): ${disagreements.length} disagreements\n`,
)
if (disagreements.length > 0) process.exitCode = 1
