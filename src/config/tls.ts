import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { invalid } from './checks.ts'
import { portOf } from './config.ts'
import type { RawEnv } from './env.ts'

/** A listener that speaks TLS, beside the plain one. */
export interface TlsConfig {
  readonly port: number
  readonly certFile: string
  readonly keyFile: string
}

/** Certificate and key, as PEM. */
export interface TlsFiles {
  readonly cert: Buffer
  readonly key: Buffer
}

const names = ['TLS_CERT', 'TLS_KEY', 'TLS_PORT'] as const

/** @throws AppError CONFIGURATION_INVALID naming the variable that is missing or wrong */
export function tlsConfig(raw: RawEnv): TlsConfig | null {
  const given = names.filter((name) => raw[name] !== undefined)
  if (given.length === 0) return null
  const { TLS_CERT: certFile, TLS_KEY: keyFile, TLS_PORT: port } = raw
  if (certFile === undefined) return invalid('TLS_CERT', `is needed with ${given.join(' and ')}`)
  if (keyFile === undefined) return invalid('TLS_KEY', `is needed with ${given.join(' and ')}`)
  if (port === undefined) return invalid('TLS_PORT', `is needed with ${given.join(' and ')}`)
  const tls = { certFile, keyFile, port: portOf(port, 0, 'TLS_PORT') }
  readTlsFiles(tls)
  return tls
}

/** Reads both as they are now. @throws AppError CONFIGURATION_INVALID naming the file that cannot be read or does not fit */
export function readTlsFiles({ certFile, keyFile }: Pick<TlsConfig, 'certFile' | 'keyFile'>): TlsFiles {
  const files = { cert: read('TLS_CERT', certFile), key: read('TLS_KEY', keyFile) }
  requirePem('TLS_CERT', { cert: files.cert }, 'must be a file with a certificate in PEM')
  requirePem('TLS_KEY', { key: files.key }, 'must be a file with a private key in PEM, without a passphrase')
  // A context takes a certificate and a key of two different kinds, and fails only when somebody connects.
  if (!new X509Certificate(files.cert).checkPrivateKey(createPrivateKey(files.key))) {
    invalid('TLS_KEY', 'must be the key of the certificate in TLS_CERT')
  }
  return files
}

function read(name: string, file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    return invalid(name, `names ${file}, which cannot be read: ${(error as Error).message}`)
  }
}

function requirePem(name: string, files: Partial<TlsFiles>, problem: string): void {
  try {
    createSecureContext(files)
  } catch {
    invalid(name, problem)
  }
}
