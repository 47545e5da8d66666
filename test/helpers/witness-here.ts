import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { cosigner } from '../../src/proof/cosignature.ts'
import { parseVerifierKey, verifierKeyText } from '../../src/proof/note.ts'
import { witnessServer } from '../../src/witness/server.ts'
import { openWitnessState } from '../../src/witness/state.ts'
import { submitTo, type WitnessOptions, type WitnessProcess } from './witness-process.ts'

/** A witness in this process. */
export interface WitnessHere extends WitnessProcess {
  /** What its operator was told. */
  readonly warnings: readonly string[]
}

/** As `startWitness`, for a test to which it is all one where the witness runs: nothing has to be started. */
export async function listenAsWitness({
  directory,
  name = 'witness.example/w1',
  logs,
  port = 0,
}: WitnessOptions): Promise<WitnessHere> {
  const state = openWitnessState({ directory, name })
  const warnings: string[] = []
  const keys = Map.groupBy(logs.map(parseVerifierKey), (key) => key.name)
  const signer = cosigner(name, state.privateKey)
  const server = witnessServer({ signer, logs: keys, state }, (message) => warnings.push(message))
  await once(server.listen(port, '127.0.0.1'), 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const end = async () => {
    if (!server.listening) return
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    state[Symbol.dispose]()
  }
  return {
    url,
    warnings,
    key: signer.key,
    keyText: verifierKeyText(name, signer.key.type, signer.key.publicKey),
    submit: (body) => submitTo(url, body),
    kill: end,
    stop: async () => {
      await end()
      return 0
    },
  }
}
