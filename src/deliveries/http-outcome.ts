import type { OutgoingOutcome } from '../outgoing/call-out.ts'
import type { AttemptOutcome } from './attempt.ts'
import { keepResponse } from './kept-response.ts'

/**
 * What a call's outcome means for its task (contract §3.7): any 2xx is success; 429, 5xx and a failed network may pass;
 * every other status, redirects too, and an address that the guard refused will be the same next time.
 */
export function judge(url: string, outcome: OutgoingOutcome): AttemptOutcome {
  switch (outcome.kind) {
    case 'refused':
      return { kind: 'failed', reason: outcome.reason, isTransient: false, response: null }
    case 'failed':
      return { kind: 'failed', reason: outcome.reason, isTransient: true, response: null }
    case 'answered': {
      const { status, body, isWhole } = outcome
      const response = keepResponse(status, body, isWhole)
      if (status >= 200 && status < 300) return { kind: 'sent', response }
      // The host alone: path, query and user may be secrets.
      const reason = `${new URL(url).host} answered ${status}.`
      return { kind: 'failed', reason, isTransient: status === 429 || status >= 500, response }
    }
  }
}
