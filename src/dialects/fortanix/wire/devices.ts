import type { DeviceInput } from '../../../custody/devices.ts'
import { invalidMember } from '../../../errors.ts'
import { readOptionalBody, type Members } from '../../shared/members.ts'
import { parseAttestation } from './factors.ts'

const maxName = 256

/** The members of a user's PATCH that are about security keys (contract fortanix §5.5). @throws AppError INVALID_MEMBER */
export function parseDevices(body: unknown): DeviceInput {
  return readOptionalBody(body, (members) => {
    const added = [...namedIn(members, 'add_mfa_devices'), ...namedIn(members, 'add_u2f_devices')]
    if (added.length > 1) members.complain('add_mfa_devices', 'must hold one device')
    const [add] = added
    const renames = ['rename_mfa_devices', 'rename_u2f_devices'].flatMap((name) =>
      members.list(name, (device) => ({
        from: device.neededText('old_name'),
        to: device.neededText('new_name', { max: maxName }),
      })),
    )
    const removes = ['del_mfa_devices', 'del_u2f_devices'].flatMap((name) =>
      members.list(name, (device) => device.neededText('name')),
    )
    return {
      add: add === undefined ? null : { name: add.name, attestation: parseAttestation(add.sent, add.field) },
      renames,
      removes,
    }
  })
}

interface SentDevice {
  readonly name: string
  readonly sent: unknown
  readonly field: string
}

function namedIn(members: Members, list: string): SentDevice[] {
  return members.list(list, (device) => ({
    name: device.neededText('name', { max: maxName }),
    sent: device.raw('attestationResult'),
    field: device.pathOf('attestationResult'),
  }))
}

/** U2F where nothing else is asked for, as the older clients mean it. @throws AppError INVALID_MEMBER */
export function parseProtocol(query: unknown): 'fido2' | 'u2f' {
  const { protocol = 'u2f' } = query as Readonly<Record<string, unknown>>
  if (protocol !== 'fido2' && protocol !== 'u2f') throw invalidMember('protocol', 'must be fido2 or u2f')
  return protocol
}
