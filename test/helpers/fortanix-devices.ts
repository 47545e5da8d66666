import type { Authenticator, Registration } from './authenticator.ts'
import { attestationOf, expectStatus, password, type FortanixCalls } from './fortanix.ts'
import type { World } from './world.ts'

/** Registers a security key as a page does it, in a session that is locked again afterwards. */
export async function registerKey(
  world: World,
  user: FortanixCalls & { readonly id: string },
  key: Authenticator,
  { name = 'usb', ...registration }: Registration & { readonly name?: string } = {},
): Promise<void> {
  expectStatus(await user.post('/sys/v1/session/config_2fa/auth', { password }), 200)
  const protocol = registration.format === 'fido-u2f' ? 'u2f' : 'fido2'
  const asked = expectStatus(await user.post(`/sys/v1/session/config_2fa/new_challenge?protocol=${protocol}`), 200)
  const attestationResult = attestationOf(world, key, asked.challenge, asked.rp.id, registration)
  expectStatus(await user.patch(`/sys/v1/users/${user.id}`, { add_mfa_devices: [{ name, attestationResult }] }), 200)
  expectStatus(await user.post('/sys/v1/session/config_2fa/terminate'), 204)
}
