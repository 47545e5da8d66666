export interface BenchRow {
  readonly name: string
  readonly unit: 'calls/s' | 'ms'
  readonly ours: number
  /** What it is compared with: the floor, or the same call in the small case. */
  readonly floor: number
  readonly against: string
  /** The bar of design §10. */
  readonly bar: { readonly atLeast: number } | { readonly atMost: number }
}

/** One line for people and one for machines. */
export function printRow(row: BenchRow): void {
  const ratio = row.ours / row.floor
  const isMet = 'atLeast' in row.bar ? ratio >= row.bar.atLeast : ratio <= row.bar.atMost
  const bar = 'atLeast' in row.bar ? `≥ ${row.bar.atLeast}` : `≤ ${row.bar.atMost}`
  const figure = (value: number) => `${value.toFixed(row.unit === 'ms' ? 2 : 0)} ${row.unit}`
  process.stdout.write(
    `${row.name.padEnd(28)} ours ${figure(row.ours).padStart(14)}   ${row.against} ${figure(row.floor).padStart(14)}   ` +
      `ratio ${ratio.toFixed(2)} (bar ${bar}${isMet ? '' : ', MISSED'})\n` +
      `BENCH ${row.name} ratio=${ratio.toFixed(3)} ours=${row.ours.toFixed(3)} floor=${row.floor.toFixed(3)}\n`,
  )
}
