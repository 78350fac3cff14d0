import { hash } from 'node:crypto';

/** Characters of a request id beyond which nothing is kept of the request. */
export const LONGEST_REQUEST_ID = 200;

export interface RequestIdentity {
  /** Uniform in [0, 1), the same on all gateways: decides what is kept. */
  readonly h: number;
  /** 96 bits of the same hash: names the request in predictions and labels. */
  readonly identity: string;
}

/** Where a request stands, by SHA-256 of its model, a zero byte and its id: bits 0-47 are `h`, bits 48-143 `identity`. */
export function identify(model: string, requestId: string): RequestIdentity {
  const digest = hash('sha256', `${model}\0${requestId}`, 'hex');
  return {
    h: Number.parseInt(digest.slice(0, 12), 16) / 2 ** 48,
    identity: Buffer.from(digest.slice(12, 36), 'hex').toString('base64url'),
  };
}

export const sampleId = (model: string, requestId: string, row: number): string =>
  `${model}/${requestId}/${row}`;

/** Of a row from elsewhere: several versions may have answered the same one. @param digest of the version */
export const observedSampleId = (model: string, digest: string, requestId: string): string =>
  `${model}/${digest}/${requestId}/0`;
