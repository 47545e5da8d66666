import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'

/** Sends a receipt to the byte as it was signed: nothing may write it anew. */
export async function answerReceipt(reply: FastifyReply, receipt: string): Promise<FastifyReply> {
  return await reply.type('application/json; charset=utf-8').serializer(String).send(receipt)
}

export const ReceiptSchema = Type.Object(
  {
    payload: Type.String({ description: 'Base64 of an in-toto statement' }),
    payloadType: Type.String(),
    signatures: Type.Array(Type.Object({ keyid: Type.String(), sig: Type.String() })),
  },
  { description: 'A DSSE envelope, to the byte as it was signed: docs/receipt.md' },
)
