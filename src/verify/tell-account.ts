import type { ReceiptTerms } from '../proof/statement.ts'
import { shownName, type Account, type AccountEvent, type AccountKey, type SignedPart } from './account.ts'
import { quoted, shownId } from './printed.ts'

/** A verified receipt in words. */
export function tellAccount(account: Account): string {
  const { request, policy, decision, log, organization, events } = account
  const end = decision.isFinal
    ? 'This is final.'
    : 'A veto can still be withdrawn: this is how it stood at the checkpoint.'
  const lines = [
    'VERIFIED. The signatures, the log and the rule all hold.',
    '',
    `The request was ${decision.status} on ${decision.at}. ${end}`,
    ...ownKeysLines(events),
    '',
    `Request       ${shownId(request.id)} of organization ${shownId(organization)}`,
    ...contentLines(request.content),
    `Asked by      ${shownName(request.requester)} on ${request.createdAt}, ${deadline(request.expiresAt)}`,
    ...(request.beneficiary === null ? [] : [`For           ${shownName(request.beneficiary)}`]),
    ...grantLines(request.grant),
    `Digest        ${request.digest}`,
    '',
    `Rule          ${shownName({ id: policy.id, name: policy.name })}`,
    ...policy.rule.map((line) => `  ${line}`),
    `Its digest    ${policy.digest}`,
    '',
    'What happened, in the order and at the times that the server gave it:',
    ...events.flatMap(eventLines),
    '',
    `Log           ${quoted(log.origin)}, ${log.size} entries`,
    ...log.witnesses.map(({ name, time }) => `Witnessed     by ${quoted(name)} on ${time}`),
  ]
  return `${lines.join('\n')}\n`
}

/** Which votes rest on a key that is its voter's whatever the server says, where any voter has signed at all. */
function ownKeysLines(events: readonly AccountEvent[]): string[] {
  const votes = events.filter((event) => event.kind === 'vote')
  const own = votes.filter(({ evidence }) => evidence === 'signature' || evidence === 'own-security-key')
  const isSigned = votes.some(({ evidence, assurance }) => evidence !== 'log' || assurance.includes('signature'))
  if (!isSigned) return []
  const others = votes.filter((vote) => !own.includes(vote))
  const numbers = (some: typeof votes) => some.map(({ seq }) => seq).join(', ')
  return [
    own.length === 0
      ? "No vote was checked down to its voter's own key: none was given with --voter-key."
      : `Checked down to the voter's own key: vote ${numbers(own)}.`,
    ...(own.length === 0 || others.length === 0
      ? []
      : [`On the server's word that it is theirs: vote ${numbers(others)}.`]),
  ]
}

function contentLines(content: Account['request']['content']): string[] {
  if (content === null) return ['What for      was erased; its digest stands']
  const { name, description, metadata } = content
  return [
    `What for      ${quoted(name)}`,
    ...(description === null ? [] : [`              ${quoted(description)}`]),
    ...Object.entries(metadata).map(([member, text]) => `              ${quoted(member)}: ${quoted(text)}`),
  ]
}

/** That of requests which have none (docs/receipt.md, "request"). */
const never = '9999-12-31T23:59:59.999Z'

function deadline(expiresAt: string): string {
  return expiresAt === never ? 'without a deadline' : `to be decided before ${expiresAt}`
}

function grantLines(grant: Account['request']['grant']): string[] {
  if (grant === null) return []
  const { operation, principal, group, asked, approved, isRevocable } = grant
  const [who, role] = [shownName(principal), shownName(group)]
  if (operation === 'remove' || asked === null) return [`Asked is      that ${who} no longer holds the role ${role}`]
  const revocable = isRevocable ? '; whoever approves may take it back' : ''
  return [
    `Asked is      that ${who} is given the role ${role} ${termsWords(asked)}${revocable}`,
    ...(approved === null ? [] : [`Approved      ${termsWords(approved)}`]),
    'Not told here is what became of it after the decision: whether it was given, used or taken back.',
  ]
}

function termsWords({ grantKind, startsAt = '', endsAt = '', floatingHours }: ReceiptTerms): string {
  switch (grantKind) {
    case 'permanent':
      return 'for good'
    case 'time-restricted':
      return `from ${shownId(startsAt)} until before ${shownId(endsAt)}`
    case 'floating':
      return `for ${floatingHours ?? 'no'} hours from its first use on`
  }
}

const stances = { approve: 'approved', veto: 'vetoed', withdraw: 'withdrew their vote' } as const
const changes = {
  'request.stage-closed': 'the stage was closed',
  'request.canceled': 'the request was canceled',
  'request.expired': 'the time was up',
} as const

function eventLines(event: AccountEvent): string[] {
  if (event.kind === 'request.terms-changed') {
    const by = event.by === null ? '' : `by ${shownName(event.by)} `
    return [`      with this approval ${by}in the place of the terms before: ${termsWords(event.terms)}`]
  }
  const led = event.from === event.to ? '' : `; with this the request was ${event.to}`
  if (event.kind !== 'vote') {
    const by = event.by === null ? '' : ` by ${shownName(event.by)}`
    return [`  ${event.at}  ${changes[event.kind]}${by}${led}`]
  }
  const { seq, at, voter, stance, seats, assurance, signed, securityKey, reason } = event
  const who = `${voter.kind === 'agent' ? 'the agent ' : ''}${shownName(voter)}`
  const where = seats.length === 0 ? '' : ` for ${seats.map(shownName).join(', ')}`
  const saying = reason === null ? [] : [`the reason ${quoted(reason)}`]
  // Of an agent `signature` says no more than the line about it does.
  const proofs = assurance.filter((proof) => proof !== 'signature' || signed === null)
  const proved = proofs.filter((proof) => proof !== 'securityKey').map((proof) => provedWords[proof])
  const place = `that it was vote ${seq}, at ${at}`
  const words = signed !== null ? [place] : securityKey !== null ? [`${place}, in this stage`] : ['all of it']
  return [
    `  ${at}  ${seq}. ${who} ${stances[stance]}${where}${led}`,
    ...(signed === null ? [] : [`      signed by the voter: ${signedWords(signed)}`]),
    ...(securityKey === null ? [] : keyLines(securityKey, event.evidence === 'own-security-key')),
    `      on the server's word: ${[...words, ...proved, ...saying].join('; ')}`,
  ]
}

const provedWords = {
  stepUp: 'that they had just signed in anew',
  password: 'that their password was right, of which nothing is left to check',
  signature: 'that they signed it',
} as const

function keyLines({ publicKeySha256, origin }: AccountKey, isOwn: boolean): string[] {
  const whose = isOwn ? "the voter's own security key" : "a security key that is the voter's on the server's word"
  return [
    `      signed by ${whose}: approve, on this request, digest and rule, for ${quoted(origin)}`,
    `      SHA-256 of the security key's public key: ${publicKeySha256}`,
  ]
}

function signedWords({ stance, stage, seats, at }: SignedPart): string {
  const where = seats.length === 0 ? '' : ` for ${seats.map(shownId).join(', ')}`
  return `${stance}${where}, in stage ${stage + 1}, on this request, digest and rule, at ${at} by the voter's clock`
}
