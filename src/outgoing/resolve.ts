import type { LookupAddress } from 'node:dns'
import { lookup, Resolver } from 'node:dns/promises'
import { addressesInHostsFile } from './hosts-file.ts'

/** For one server's answer to one question, in milliseconds; doubled for the second try. */
const answerMilliseconds = 1_500
const tries = 2
/** By then whoever asked has given up, by default: what still waits for its turn is not looked up any more. */
const turnMilliseconds = 10_000

export interface Names {
  /** Name servers, `address:port`; those of the machine when left out. */
  readonly servers?: readonly string[]
  /** The machine's own list of names and addresses, which comes before all servers; /etc/hosts when left out. */
  readonly hostsFile?: string
  /** The machine's own way, which knows its files and search domains too. */
  readonly lookUp?: (hostname: string) => Promise<LookupAddress[]>
}

/**
 * Resolves names that users supplied. The machine's own way (getaddrinfo) has two threads for the whole process, waits ten
 * seconds and more for a name server that is silent, cannot be given up, and keeps a process from ending. A name whose server
 * is its user's could so keep the store, the mail server and every other receiver from being found. So names are asked for by
 * packets of our own, and only what DNS does not know is looked up the machine's way, one name at a time.
 */
export function nameResolver({ servers, hostsFile, lookUp = systemLookUp }: Names = {}): (
  hostname: string,
) => Promise<readonly LookupAddress[]> {
  const inTurn = oneAtATime()
  return async (hostname) => {
    const own = await addressesInHostsFile(hostname, hostsFile)
    if (own.length > 0) return own
    const found = hostname.includes('.') ? await ask(hostname, servers) : []
    return found.length > 0 ? found : await inTurn(async () => await lookUp(hostname))
  }
}

const systemLookUp = async (hostname: string) => await lookup(hostname, { all: true, order: 'verbatim' })

/** None when DNS knows none. @throws Error when nobody can tell */
async function ask(hostname: string, servers: readonly string[] | undefined): Promise<LookupAddress[]> {
  // A new one knows the name servers that the machine has now.
  const resolver = new Resolver({ timeout: answerMilliseconds, tries })
  if (servers !== undefined) resolver.setServers(servers)
  const answers = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)])
  const found = answers.flatMap((answer, index) => {
    const family = index === 0 ? 4 : 6
    return answer.status === 'fulfilled' ? answer.value.map((address) => ({ address, family })) : []
  })
  if (found.length > 0) return found
  const failure = answers.find((answer) => answer.status === 'rejected' && !isUnknown(answer.reason))
  if (failure?.status === 'rejected') throw failure.reason
  return []
}

/** DNS does not know the name, or there is none on this machine. */
function isUnknown(error: unknown): boolean {
  return unknown.has((error as NodeJS.ErrnoException).code ?? '')
}

const unknown: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA', 'EBADNAME', 'ECONNREFUSED'])

function oneAtATime(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return async (work) => {
    const asked = performance.now()
    const turn = last.then(async () => {
      if (performance.now() - asked > turnMilliseconds) {
        throw Object.assign(new Error('others took too long'), { code: 'EAI_AGAIN' })
      }
      return await work()
    })
    last = turn.catch(() => {})
    return await turn
  }
}
