import type { JobKind } from '../store/job-queue.ts'
import { cancelRequests } from './cancel-requests.ts'
import { deliver } from './deliver.ts'
import { executeOperations } from './execute-operation.ts'
import type { Handler } from './hands.ts'

export const handlers: Readonly<Record<JobKind, Handler>> = {
  deliver,
  'cancel-requests': cancelRequests,
  'execute-operation': executeOperations,
}
