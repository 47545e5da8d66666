import { describe, expect, it } from 'vitest'
import { htmlOf, sentenceOf, slackBodyOf, subjectOf, webhookBodyOf } from '../../src/deliveries/messages.ts'
import type { Status } from '../../src/kernel/request.ts'
import { hostileNames, occurrenceOf, requestId } from '../helpers/deliveries.ts'

const sentence =
  'The workflow release-2-1 has transitioned from EVALUATION_IN_PROGRESS to APPROVED at 2026-03-01T12:00:00.000Z.'

describe('the words of contract §3.7', () => {
  it('are these', () => {
    const occurrence = occurrenceOf()
    expect(subjectOf(occurrence)).toBe('Workflow release-2-1 status update')
    expect(sentenceOf(occurrence)).toBe(sentence)
    expect(htmlOf(occurrence)).toBe(sentence)
    expect(JSON.parse(slackBodyOf(occurrence))).toEqual({ text: sentence })
    expect(webhookBodyOf(occurrence)).toBe(
      `{"workflowId":"${requestId}","workflowName":"release-2-1","status":"APPROVED","occurredAt":"2026-03-01T12:00:00.000Z"}`,
    )
  })

  it.each<[Status, string]>([
    ['open', 'EVALUATION_IN_PROGRESS'],
    ['approved', 'APPROVED'],
    ['rejected', 'REJECTED'],
    ['canceled', 'CANCELED'],
    ['expired', 'EXPIRED'],
  ])('call the status %s %s', (status, word) => {
    expect(JSON.parse(webhookBodyOf(occurrenceOf({ to: status }))).status).toBe(word)
    expect(sentenceOf(occurrenceOf({ from: status, to: 'expired' }))).toContain(` from ${word} to EXPIRED at `)
  })

  it('mark a sample as one', () => {
    const sample = occurrenceOf({ isTest: true })
    expect(subjectOf(sample)).toBe('[Test] Workflow release-2-1 status update')
    expect(sentenceOf(sample)).toBe(`[Test] ${sentence}`)
    expect(htmlOf(sample)).toBe(`[Test] ${sentence}`)
    expect(JSON.parse(slackBodyOf(sample)).text).toBe(`[Test] ${sentence}`)
    expect(JSON.parse(webhookBodyOf(sample)).test).toBe(true)
  })
})

describe.each(hostileNames.map((name) => [JSON.stringify(name).slice(0, 60), name] as const))(
  'the name %s',
  (_, requestName) => {
    const occurrence = occurrenceOf({ requestName })

    it('stays on the one line of subject and sentence, in the direction they are read', () => {
      for (const text of [subjectOf(occurrence), sentenceOf(occurrence)]) {
        expect(text).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u)
        expect(text.isWellFormed()).toBe(true)
      }
    })

    it('is no markup in HTML, and is shown as it is', () => {
      const html = htmlOf(occurrence)
      expect(html).not.toMatch(/[<>"']/)
      expect(html.replace(/&#(\d+);/g, (_entity, code: string) => String.fromCharCode(Number(code)))).toBe(
        sentenceOf(occurrence),
      )
    })

    it('mentions nobody in Slack, links nowhere, and is shown as it is', () => {
      const { text } = JSON.parse(slackBodyOf(occurrence)) as { text: string }
      expect(text).not.toMatch(/[<>]|&(?!amp;|lt;|gt;)/)
      expect(text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')).toBe(sentenceOf(occurrence))
    })

    it('is in the webhook as it is', () => {
      expect(JSON.parse(webhookBodyOf(occurrence)).workflowName).toBe(requestName)
    })
  },
)

it.each(['*bold*', '_deploy_', 'a ~gone~', '`code`', 'x`y', '*', 'ends_'])(
  'Slack is told to format nothing where %s would be formatted',
  (requestName) => {
    expect(JSON.parse(slackBodyOf(occurrenceOf({ requestName })))).toHaveProperty('mrkdwn', false)
  },
)

it.each(['release_2_1', 'a-b', 'Straße_9', 'a*b'])('Slack gets nothing but the text for %s', (requestName) => {
  expect(Object.keys(JSON.parse(slackBodyOf(occurrenceOf({ requestName }))) as object)).toEqual(['text'])
})
