/** A virtual authenticator, in the words of the DevTools protocol. */
export interface KeyKind {
  readonly protocol: 'ctap2' | 'u2f'
  readonly transport: 'usb' | 'internal'
  readonly hasResidentKey?: boolean
  readonly hasUserVerification?: boolean
  readonly isUserVerified?: boolean
}

/** What it keeps, as the protocol tells it: standard base64, the private key as PKCS #8. */
export interface KeptCredential {
  readonly credentialId: string
  readonly isResidentCredential: boolean
  /** For whom it signs: its id, or the application id of U2F. */
  readonly rpId?: string
  readonly privateKey: string
  readonly signCount: number
  readonly userHandle?: string
}

export const usbKey: KeyKind = { protocol: 'ctap2', transport: 'usb' }
/** Built into the machine, and knows whose finger it is. */
export const platformKey: KeyKind = {
  protocol: 'ctap2',
  transport: 'internal',
  hasResidentKey: true,
  hasUserVerification: true,
  isUserVerified: true,
}
export const u2fKey: KeyKind = { protocol: 'u2f', transport: 'usb' }

/** A security key that outlives the moments at which it is plugged in. */
export class SecurityKey {
  readonly kind: KeyKind
  readonly rpId: string
  kept: KeptCredential | null = null

  constructor(kind: KeyKind, rpId: string) {
    this.kind = kind
    this.rpId = rpId
  }

  keep(credentials: readonly KeptCredential[]): void {
    const [only, ...others] = credentials
    if (only === undefined || others.length > 0) throw new Error(`the key keeps ${credentials.length} credentials`)
    // Keys of U2F do not know it.
    this.kept = { ...only, rpId: only.rpId ?? this.kept?.rpId ?? this.rpId }
  }

  /** Another that keeps the same, but for this. */
  copy(change: Partial<KeptCredential>): SecurityKey {
    const copied = new SecurityKey(this.kind, this.rpId)
    copied.kept = this.kept === null ? null : { ...this.kept, ...change }
    return copied
  }
}
