#!/usr/bin/env node
// What checks a receipt needs nothing of the server, and whoever checks many waits for every start: so it is loaded alone.
const [, , command, ...rest] = process.argv

if (command === 'verify') {
  const { runVerify } = await import('../verify/command.ts')
  process.exitCode = await runVerify(rest)
} else {
  await import('../main.ts')
}
