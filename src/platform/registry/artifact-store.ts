import type { Readable } from 'node:stream';

export interface StoredArtifact {
  /** SHA-256 of the bytes, 64 lower-case hex digits. */
  readonly digest: string;
  readonly sizeBytes: number;
}

/** Bytes known by their digest: what is read is what was put, or an error. */
export interface ArtifactStore {
  /** Puts bytes or a file; harmless when they are there already, and mends a damaged copy. @throws ArtifactError `too-large`, `empty` */
  put(source: Uint8Array | { readonly file: string }): Promise<StoredArtifact>;
  has(digest: string): Promise<boolean>;
  /** Size in bytes. @throws ArtifactError `missing` */
  size(digest: string): Promise<number>;
  /** All bytes, checked. @param maxBytes refuses larger ones (default 64 MiB). @throws ArtifactError */
  read(digest: string, maxBytes?: number): Promise<Buffer>;
  /** A stream that fails at its end with ArtifactError `corrupt` if the bytes were not those of the digest. */
  open(digest: string): Promise<Readable>;
  /** A local file with these bytes, checked; read-only, and not to be moved. @throws ArtifactError */
  pathOf(digest: string): Promise<string>;
}

export type ArtifactErrorCode = 'invalid-digest' | 'missing' | 'corrupt' | 'too-large' | 'empty';

export class ArtifactError extends Error {
  readonly code: ArtifactErrorCode;

  constructor(code: ArtifactErrorCode, message: string) {
    super(message);
    this.name = 'ArtifactError';
    this.code = code;
  }
}

/** Whether this is 64 lower-case hex digits. */
export const isDigest = (value: unknown): value is string =>
  typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
