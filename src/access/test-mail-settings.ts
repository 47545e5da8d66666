import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { tryMailServer, type MailTrial } from '../deliveries/try-mail-server.ts'
import { callerIdOf } from '../identity/actor.ts'
import { callLimiter } from '../identity/call-limiter.ts'
import { passwordFor, type WrittenSettings } from './settings.ts'
import type { Member } from './member.ts'

/** @throws AppError REQUESTOR_NOT_AUTHORIZED, TOO_MANY_REQUESTS */
export type TestMailSettings = (member: Member, settings: WrittenSettings) => Promise<MailTrial>

/** A test is for someone who waits for it: nobody needs more, and more would let the server scan for them. */
const atOnce = 5
const perMinute = 10

/**
 * Connects and signs in to the mail server of some settings, which need not be those in force. Bounded to 5 at once in this
 * process, and to 10 a minute for one caller over all of them.
 */
export function mailSettingsTester(ctx: Ctx): TestMailSettings {
  const take = callLimiter(ctx, perMinute)
  let inHand = 0

  return async (member, settings) => {
    member.access.require('workflows-manage')
    if (inHand >= atOnce) {
      throw new AppError('TOO_MANY_REQUESTS', `${atOnce} mail servers are being tested; try again in some seconds.`)
    }
    inHand++
    try {
      const { isOver } = await take(`testsmtp/${callerIdOf(member)}`)
      if (isOver)
        throw new AppError('TOO_MANY_REQUESTS', `${perMinute} mail servers a minute can be tested by one caller.`)
      const password = await passwordFor(ctx, ctx.db, member.orgId, settings)
      return await tryMailServer(ctx, {
        host: settings.server,
        port: settings.port,
        security: securityOf(settings.protocol),
        insecureVerify: settings.insecureVerify,
        user: settings.username === '' ? null : settings.username,
        password,
      })
    } finally {
      inHand--
    }
  }
}

function securityOf(protocol: string): 'tls' | 'starttls' | 'optional' {
  switch (protocol.toLowerCase()) {
    case 'smtps':
    case 'tls':
    case 'ssl':
      return 'tls'
    case 'starttls':
      return 'starttls'
    default:
      return 'optional'
  }
}
