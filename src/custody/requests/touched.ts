import { canonicalJson } from '../../audit/leaf.ts'
import { AppError } from '../../errors.ts'
import type { OperationRow } from '../../store/fortanix-requests.ts'
import type { Tx } from '../../store/open.ts'
import type { Checked, OperationSubject } from '../perform.ts'
import { requireNoPolicy, type PolicyInForce, type Touched } from '../policies.ts'

/** What an operation touched when it was asked for, as its request keeps it. */
interface TouchedThen extends Touched {
  /** The account and the groups whose policies it waits for. */
  readonly policiesOf: readonly string[]
}

/** As a text, for which receipts have room. */
export function tellTouched({ account, groups }: Checked, policies: readonly PolicyInForce[]): string {
  return canonicalJson({ account, groups, policiesOf: policies.map(({ of }) => of) } satisfies TouchedThen)
}

/**
 * That an approved operation is still about what was approved. A key may have come into another group meanwhile, or another key
 * to the name that it was asked for by, and nobody whom a policy there names was asked. What was touched before may be touched as
 * it was then, whatever became of its policy (contract fortanix §4.3).
 * @throws AppError APPROVAL_REQUIRED
 */
export async function requireNothingElse(tx: Tx, row: OperationRow, now: Checked): Promise<void> {
  const { touches } = row.metadata as { readonly touches: string }
  const { account, groups, policiesOf } = JSON.parse(touches) as TouchedThen
  const isSubject = ({ kind, id }: OperationSubject) => row.subjects.some((one) => one.kind === kind && one.id === id)
  if (!now.subjects.every((subject) => subject.kind === 'group' || isSubject(subject))) {
    throw new AppError('APPROVAL_REQUIRED', 'The operation is about something else by now than what was approved.')
  }
  const wasTouched = ({ id, concern }: Touched['groups'][number]) =>
    policiesOf.includes(id) || groups.some((group) => group.id === id && group.concern === concern)
  await requireNoPolicy(tx, row.org_id, {
    account: policiesOf.includes(row.org_id) ? [] : now.account.filter((concern) => !account.includes(concern)),
    groups: now.groups.filter((group) => !wasTouched(group)),
  })
}
