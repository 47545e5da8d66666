import { isLoopback } from '../../config/checks.ts'
import type { Ctx } from '../../context.ts'

/** For whom security keys sign (WebAuthn level 2, section 4). */
export interface RelyingParty {
  readonly id: string
  /** Others that are the same place. */
  readonly alsoIds: readonly string[]
  readonly name: string
  /** Where pages may ask for it, compared exactly. */
  readonly origins: readonly string[]
  /** The application id of U2F. */
  readonly appId: string
}

/** By the public URL, which is known once the server listens (contract fortanix §10.1). */
export function relyingPartyOf({ config, publicUrl }: Pick<Ctx, 'config' | 'publicUrl'>): RelyingParty {
  const { hostname, origin, protocol, port } = new URL(publicUrl)
  const isHere = isLoopback(hostname.replace(/^\[|\]$/g, ''))
  // Browsers take no address for an id, so that on this machine the name stands for it.
  const isAddressHere = isHere && hostname !== 'localhost'
  const local = isAddressHere ? [`${protocol}//localhost${port === '' ? '' : `:${port}`}`] : []
  return {
    id: isAddressHere ? 'localhost' : hostname,
    alsoIds: isAddressHere ? [hostname] : [],
    name: 'Quorate',
    origins: [...new Set([origin, ...local, ...config.webauthn.origins])],
    appId: config.webauthn.appId ?? origin,
  }
}
