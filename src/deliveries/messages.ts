import type { Occurrence } from './attempt.ts'
import { workflowStatus } from './status-words.ts'

/** `Workflow {name} status update` (contract §3.7), on one line whatever the name holds. */
export function subjectOf(occurrence: Occurrence): string {
  return `${mark(occurrence)}Workflow ${nameIn(occurrence)} status update`
}

/** `The workflow {name} has transitioned from {old} to {new} at {ISO time}.` (contract §3.7) */
export function sentenceOf(occurrence: Occurrence): string {
  const { from, to, occurredAt } = occurrence
  const change = `from ${workflowStatus[from]} to ${workflowStatus[to]} at ${occurredAt.toISOString()}`
  return `${mark(occurrence)}The workflow ${nameIn(occurrence)} has transitioned ${change}.`
}

/** The sentence as HTML. */
export function htmlOf(occurrence: Occurrence): string {
  return sentenceOf(occurrence).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

/** The JSON body of a webhook call. The name is data here, and stands as it is. */
export function webhookBodyOf({ requestId, requestName, to, occurredAt, isTest }: Occurrence): string {
  return JSON.stringify({
    workflowId: requestId,
    workflowName: requestName,
    status: workflowStatus[to],
    occurredAt: occurredAt.toISOString(),
    ...(isTest && { test: true }),
  })
}

/**
 * The JSON body of a Slack message. Mentions and links are written between angle brackets, and Slack asks for these three
 * characters as entities; it shows them as they were. Formatting has no escape: `mrkdwn: false` turns it off for the
 * message, and is sent only when a name would be formatted, so that the body is the contract's `{"text"}` otherwise.
 */
export function slackBodyOf(occurrence: Occurrence): string {
  const text = sentenceOf(occurrence).replace(/[&<>]/g, (character) => slackEntities[character] ?? character)
  return JSON.stringify({ text, ...(formatting.test(occurrence.requestName) && { mrkdwn: false }) })
}

const slackEntities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

// Inside of a word, as in `release_2_1`, the marks of emphasis are nothing but characters.
const formatting = /`|(?<![\p{L}\p{N}])[*_~]|[*_~](?![\p{L}\p{N}])/u

function mark({ isTest }: Occurrence): string {
  return isTest ? '[Test] ' : ''
}

/**
 * A request's name for people. Other APIs let a name be anything: a line break would begin another mail header, and a
 * change of writing direction would turn the sentence around it.
 */
function nameIn({ requestName }: Occurrence): string {
  return requestName.toWellFormed().replace(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu, ' ')
}
