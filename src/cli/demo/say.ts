export function step(text: string): void {
  console.log(`\n${text}`)
}

export function say(text: string): void {
  console.log(`  ${text}`)
}
