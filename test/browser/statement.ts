import assert from 'node:assert/strict'
import type { RawAnswer } from '../helpers/fortanix.ts'
import type { Credential } from './page.ts'
import type { Place, Scene } from './scene.ts'

/** Something that is to hold of the server and a real browser. */
export interface Statement {
  readonly says: string
  /** The only place where it can be tried; every one when left out. */
  readonly only?: Place
  /** @throws Error when it does not */
  readonly holds: (scene: Scene) => Promise<void>
}

/** The refusal of an assertion that is not to this challenge, from a page of ours, by a key that has gone on counting. */
export const unverified = /answer does not verify/

export const userVerified = 0x04

/** Whether the authenticator data of an assertion has a flag (WebAuthn level 2, section 6.1). */
export function hasFlag({ response }: Credential, flag: number): boolean {
  const data = Buffer.from(String(response['authenticatorData']), 'base64url')
  return (data.readUInt8(32) & flag) !== 0
}

/** One line of text, and this status. */
export function expectRefusal({ status, text }: RawAnswer, expected: number, says: RegExp): void {
  assert.deepEqual({ status, text }, { status: expected, text: says.test(text) ? text : says })
}
