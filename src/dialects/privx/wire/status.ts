import { renderTime } from '../../shared/times.ts'

/** What each service says of itself without being asked who asks (contract privx §3.1). */
export function statusOf(startedAt: Date): object {
  return {
    variant: 'Quorate',
    version: '0.1.0',
    api_version: 'v1',
    status: 'OK',
    status_message: 'running',
    start_time: renderTime(startedAt),
  }
}
