import type { Action } from '../../src/approvals/actions.ts'
import type { Occurrence, Task } from '../../src/deliveries/attempt.ts'

export const taskId = '6f1c0a52-6df5-5b3e-9d0e-0d0c5a7b9e11'
export const requestId = '0197aa00-0000-7000-8000-000000000001'

/** A request named `release-2-1` that was approved at noon, with what a test says otherwise. */
export function occurrenceOf(members: Partial<Occurrence> = {}): Occurrence {
  return {
    orgId: '0197aa00-0000-7000-8000-00000000000f',
    requestId,
    requestName: 'release-2-1',
    from: 'open',
    to: 'approved',
    occurredAt: new Date('2026-03-01T12:00:00.000Z'),
    isTest: false,
    ...members,
  }
}

export function taskOf(action: Action, occurrence: Partial<Occurrence> = {}): Task {
  return { id: taskId, action, occurrence: occurrenceOf(occurrence) }
}

/** Names that another API may let in, each an attempt to be more than a name. */
export const hostileNames: readonly string[] = [
  'a\r\nBcc: eve@evil.example',
  'a\r\n\r\n<b>body</b>',
  'a\nTo: eve@evil.example',
  'a\rX-Evil: 1',
  'a\r\n Bcc: eve@evil.example',
  'a\u0085Bcc: eve@evil.example',
  'a\u2028Bcc: eve@evil.example\u2029',
  'a\0b\u0001\u001b[31m\u007f',
  '\u202eDETCEJER\u202c',
  '=?utf-8?Q?=0D=0ABcc:_eve@evil.example?=',
  `=?utf-8?B?${btoa('\r\nBcc: eve@evil.example')}?= \u{1f680} ${'x'.repeat(100)}`,
  '=?utf-8?Q?',
  '.\r\n.\r\nMAIL FROM:<eve@evil.example>',
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '&lt;b&gt; &amp; &#60;',
  '<!channel> <!here> <@U024BE7LH> <#C024BE7LR>',
  '<https://evil.example|https://bank.example>',
  '*bold* _it_ ~no~ `code` ```block```',
  '\ud800 lone \udc00',
  '\u{1f680} Fr\u00e4nkische Stra\u00dfe \u5ba1\u6279 \u0645\u0648\u0627\u0641\u0642\u0629',
  `${'\u{1f680}'.repeat(256)}`,
  'x'.repeat(512),
  `${'"\\'.repeat(256)}`,
]
