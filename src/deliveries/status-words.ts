import type { Status } from '../kernel/request.ts'

/** A request's status in the words of the native API (contract §2.5), which are those that messages use too. */
export const workflowStatus: Readonly<Record<Status, string>> = {
  open: 'EVALUATION_IN_PROGRESS',
  approved: 'APPROVED',
  rejected: 'REJECTED',
  canceled: 'CANCELED',
  expired: 'EXPIRED',
}
