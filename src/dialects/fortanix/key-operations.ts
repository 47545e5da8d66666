import {
  decryptOperation,
  encryptOperation,
  exportKeyOperation,
  macOperation,
  signOperation,
} from '../../custody/operations/crypto.ts'
import {
  deleteKeyOperation,
  destroyKeyOperation,
  removePrivateOperation,
  revokeKeyOperation,
} from '../../custody/operations/end-key.ts'
import { updateKeyOperation } from '../../custody/operations/update-key.ts'
import { answer, answerNothing, wireOperation, type WireCall, type WireOperation } from './wire-operation.ts'
import {
  parseDecrypt,
  parseEncrypt,
  parseMac,
  parseSign,
  renderDecrypted,
  renderEncrypted,
  renderMac,
  renderSignature,
} from './wire/crypto.ts'
import { parseId } from './wire/ids.ts'
import { parseKey, parseKeyName, parseRevocation, renderExported, renderKey } from './wire/keys.ts'

const idIn = ({ params }: WireCall): string => parseId('key_id', params['id'])
const named = (call: WireCall) => ({ id: idIn(call) })
const oneKey = '/crypto/v1/keys/:id'

/** What can be done to keys and with them that a policy may protect (contract fortanix §6). */
export const keyOperations: readonly WireOperation[] = [
  wireOperation(signOperation, {
    method: 'POST',
    path: '/crypto/v1/sign',
    parse: ({ body }) => parseSign(body),
    render: (output) => answer(renderSignature(output)),
  }),
  wireOperation(encryptOperation, {
    method: 'POST',
    path: '/crypto/v1/encrypt',
    parse: ({ body }) => parseEncrypt(body),
    render: (output) => answer(renderEncrypted(output)),
  }),
  wireOperation(decryptOperation, {
    method: 'POST',
    path: '/crypto/v1/decrypt',
    parse: ({ body }) => parseDecrypt(body),
    render: (output) => answer(renderDecrypted(output)),
  }),
  wireOperation(macOperation, {
    method: 'POST',
    path: '/crypto/v1/mac',
    parse: ({ body }) => parseMac(body),
    render: (output) => answer(renderMac(output)),
  }),
  wireOperation(exportKeyOperation, {
    method: 'POST',
    path: '/crypto/v1/keys/export',
    parse: ({ body }) => ({ key: parseKeyName(body) }),
    render: (output) => answer(renderExported(output)),
  }),
  wireOperation(updateKeyOperation, {
    method: 'PATCH',
    path: oneKey,
    parse: (call) => parseKey(idIn(call), call.body),
    render: (key) => answer(renderKey(key)),
  }),
  wireOperation(deleteKeyOperation, { method: 'DELETE', path: oneKey, parse: named, render: answerNothing }),
  wireOperation(removePrivateOperation, {
    method: 'DELETE',
    path: `${oneKey}/private`,
    parse: named,
    render: answerNothing,
  }),
  wireOperation(destroyKeyOperation, {
    method: 'POST',
    path: `${oneKey}/destroy`,
    parse: named,
    render: answerNothing,
  }),
  wireOperation(revokeKeyOperation, {
    method: 'POST',
    path: `${oneKey}/revoke`,
    parse: (call) => parseRevocation(idIn(call), call.body),
    render: answerNothing,
  }),
]
