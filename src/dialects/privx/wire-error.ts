/** How a refusal looks on this wire (contract privx §1.2). */
export interface WireError {
  readonly status: number
  readonly errorCode: string
}

export const badRequest: WireError = { status: 400, errorCode: 'BAD_REQUEST' }
export const unauthorized: WireError = { status: 401, errorCode: 'UNAUTHORIZED' }
export const denied: WireError = { status: 403, errorCode: 'PERMISSION_DENIED' }
export const notFound: WireError = { status: 404, errorCode: 'NOT_FOUND' }
export const fault: WireError = { status: 500, errorCode: 'GENERAL_ERROR' }
export const tooMany: WireError = { status: 429, errorCode: 'TOO_MANY_REQUESTS' }
export const unavailable: WireError = { status: 503, errorCode: 'GENERAL_ERROR' }
