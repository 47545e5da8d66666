/** @simplewebauthn/server, which takes 160 ms to load: only whoever has a security key pays for it. */
export const webauthnLibrary = () => import('@simplewebauthn/server')

/** Its parsers of CBOR and COSE. */
export const webauthnHelpers = () => import('@simplewebauthn/server/helpers')
