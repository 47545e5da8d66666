import type { LookupAddress } from 'node:dns'
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'

const systemPath = process.platform === 'win32' ? String.raw`C:\Windows\System32\drivers\etc\hosts` : '/etc/hosts'

/** The addresses that this machine's own file gives a name (hosts(5)); none when it has none, or cannot be read. */
export async function addressesInHostsFile(hostname: string, path = systemPath): Promise<LookupAddress[]> {
  const wanted = hostname.toLowerCase().replace(/\.$/, '')
  const text = await readFile(path, 'utf8').catch(() => '')
  return text.split('\n').flatMap((line) => {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/)
    const isNamed = names.some((name) => name.toLowerCase() === wanted)
    return isNamed && isIP(address) !== 0 ? [{ address, family: isIP(address) }] : []
  })
}
