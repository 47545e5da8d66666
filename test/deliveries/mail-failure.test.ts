import { expect, it } from 'vitest'
import { isWorthAnotherTry, whyNotSent } from '../../src/deliveries/mail-failure.ts'

const mail = {
  host: '2001:db8::25',
  port: 587,
  implicitTls: false,
  requireTls: true,
  user: 'quorate',
  password: 'sw0rdfish',
  from: 'quorate@corp.example',
}

it.each<[string, object, boolean]>([
  ['ECONNRESET', { code: 'ESOCKET', originalCode: 'ECONNRESET' }, true],
  ['ETIMEDOUT of the system', { code: 'ESOCKET', originalCode: 'ETIMEDOUT' }, true],
  ['ETIMEDOUT of the library', { code: 'ETIMEDOUT', originalCode: 'CONNECT_TIMEOUT' }, true],
  ['ECONNREFUSED', { code: 'ESOCKET', originalCode: 'ECONNREFUSED' }, true],
  ['EHOSTUNREACH', { code: 'ESOCKET', originalCode: 'EHOSTUNREACH' }, true],
  ['ENETUNREACH', { code: 'ESOCKET', originalCode: 'ENETUNREACH' }, true],
  ['EPIPE', { code: 'ESOCKET', originalCode: 'EPIPE' }, true],
  ['a resolver that cannot say', { code: 'EDNS', originalCode: 'EAI_AGAIN' }, true],
  ['a name that does not exist', { code: 'EDNS', originalCode: 'ENOTFOUND' }, false],
  ['a certificate for another name', { code: 'ESOCKET', originalCode: 'ERR_TLS_CERT_ALTNAME_INVALID' }, false],
  ['a certificate after STARTTLS', { code: 'ETLS', message: 'Error initiating TLS - certificate has expired' }, false],
  ['a reset in STARTTLS', { code: 'ETLS', message: 'Error initiating TLS - read ECONNRESET' }, true],
  ['a handshake that was left', { code: 'ETLS', message: 'Client network socket disconnected before' }, true],
  ['a connection closed in STARTTLS', { code: 'ETLS', message: 'Connection closed unexpectedly' }, true],
  ['500', { code: 'EENVELOPE', responseCode: 500 }, false],
  ['499', { code: 'EENVELOPE', responseCode: 499 }, true],
  ['a 5xx that came with a closed connection', { code: 'ECONNECTION', responseCode: 554 }, false],
  ['a sign-in without a password', { code: 'EAUTH' }, false],
  ['what nobody foresaw', new TypeError('sw0rdfish'), true],
])('after %s (%j), another try is worth it: %s', (_, error, expected) => {
  expect(isWorthAnotherTry(error)).toBe(expected)
  const reason = whyNotSent(mail, 10, error)
  expect(reason).toContain('[2001:db8::25]:587')
  expect(reason).not.toContain('sw0rdfish')
})

it('a handshake that fails is reported in its own words', () => {
  const error = { code: 'ETLS', message: 'Error initiating TLS - certificate\r\nhas expired' }
  expect(whyNotSent(mail, 10, error)).toBe(
    'TLS with [2001:db8::25]:587 failed: Error initiating TLS - certificate has expired',
  )
})
