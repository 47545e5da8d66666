import { domainToASCII } from 'node:url'
import { createTransport, type SendMailOptions, type SMTPSentMessageInfo } from 'nodemailer'
import { encodeWord } from 'nodemailer/lib/mime-funcs'
import type { EmailAction } from '../approvals/actions.ts'
import type { MailConfig } from '../config/delivery.ts'
import type { AttemptOutcome, KeptResponse, Task } from './attempt.ts'
import { isWorthAnotherTry, said, whyNotSent } from './mail-failure.ts'
import { htmlOf, sentenceOf, subjectOf } from './messages.ts'
import type { Means } from './perform.ts'

/** Sends an e-mail: one message to all recipients (contract §3.7). */
export async function sendEmail(means: Means, task: Task, { recipients }: EmailAction): Promise<AttemptOutcome> {
  const { mail, mailTimeoutSeconds } = means.config
  if (mail === null) {
    return { kind: 'failed', reason: 'E-mail is not configured: set SMTP_URL.', isTransient: false, response: null }
  }
  // One limit over all stages: a server may hang at any of them, or say a byte now and then.
  const signal = AbortSignal.timeout(mailTimeoutSeconds * 1000)
  try {
    const message = messageOf(mail, task, recipients, means.now())
    return { kind: 'sent', response: replyOf(await transportTo(mail).sendMail({ ...message, signal })) }
  } catch (error) {
    const reason = whyNotSent(mail, mailTimeoutSeconds, error)
    return { kind: 'failed', reason, isTransient: isWorthAnotherTry(error), response: null }
  }
}

/**
 * A transport, and so a connection, for each message: a server that is slow with one holds up no other, and what is open
 * at a time is bounded by the attempts that are made at a time.
 */
function transportTo({ host, port, implicitTls, requireTls, user, password }: MailConfig) {
  return createTransport({
    host,
    port,
    secure: implicitTls,
    requireTLS: requireTls,
    // Whoever stands in between could just as well take an optional STARTTLS out of the offer, so an unknown certificate
    // is no worse than none; mail catchers on the same machine make up their own.
    tls: { rejectUnauthorized: implicitTls || requireTls },
    ...(user !== null && { auth: { user, pass: password ?? '' } }),
    disableFileAccess: true,
    disableUrlAccess: true,
  })
}

function messageOf({ from }: MailConfig, { id, occurrence }: Task, recipients: readonly string[], date: Date) {
  const domain = domainToASCII(from.slice(from.lastIndexOf('@') + 1)) || 'localhost'
  // No message has this id: it is the root that mail programs hang all messages about one request under.
  const thread = `<${occurrence.requestId}@${domain}>`
  return {
    from: addressOf(from),
    to: recipients.map(addressOf),
    text: `${sentenceOf(occurrence)}\n`,
    html: htmlOf(occurrence),
    date,
    // The same in every attempt, so that a receiver can drop a repetition.
    messageId: `<${id}@${domain}>`,
    inReplyTo: thread,
    references: thread,
    headers: {
      Subject: asField(subjectOf(occurrence)),
      'Auto-Submitted': 'auto-generated',
      'X-Auto-Response-Suppress': 'All',
    },
  } satisfies SendMailOptions
}

/**
 * A name may look like an encoded word (RFC 2047), which would arrive as what it stands for, line breaks and all. Such a
 * text is encoded as a whole; of others the library encodes what must be.
 */
function asField(text: string) {
  if (!text.includes('=?')) return text
  return { prepared: true, foldLines: true, value: encodeWord(text, 'Q', 52) }
}

/** An address that is not parsed again, which could find several in it. */
function addressOf(address: string) {
  return { name: '', address }
}

/**
 * Recipients that were refused while others were accepted do not make a failure: another attempt would send the accepted
 * ones the message again. How many they were is kept.
 */
function replyOf({ response, accepted, rejected }: SMTPSentMessageInfo): KeptResponse {
  const [refused, all] = [rejected.length, rejected.length + accepted.length]
  const remark = refused > 0 ? ` (${refused} of ${all} recipients refused)` : ''
  return { status: Number.parseInt(response, 10), body: said(response) + remark, bodyState: 'OK' }
}
