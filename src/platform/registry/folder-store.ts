import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { effect } from '../../fail-points/index.js';
import { ArtifactError, type ArtifactStore, isDigest, type StoredArtifact } from './artifact-store.js';

export interface FolderStoreSettings {
  /** Largest artifact, bytes (default 4 GiB). */
  readonly maxBytes?: number;
}

const GIB = 1024 ** 3;
const DEFAULT_READ_BYTES = 64 * 1024 ** 2;

/** Artifacts in a folder, as `sha256/<first two digits>/<digest>`. A file appears whole or not at all. */
export class FolderArtifactStore implements ArtifactStore {
  readonly #root: string;
  readonly #maxBytes: number;
  /** Digest -> identity of the file that was checked, so that a large one is not read again for every caller. */
  readonly #checked = new Map<string, string>();

  constructor(root: string, settings: FolderStoreSettings = {}) {
    this.#root = root;
    this.#maxBytes = settings.maxBytes ?? 4 * GIB;
  }

  async put(source: Uint8Array | { readonly file: string }): Promise<StoredArtifact> {
    const temporary = join(this.#root, 'tmp', randomUUID());
    await mkdir(dirname(temporary), { recursive: true });
    try {
      const stored = await this.#write(
        temporary,
        source instanceof Uint8Array ? [source] : readFrom(source.file),
      );
      const target = this.#place(stored.digest);
      await mkdir(dirname(target), { recursive: true });
      await effect('artifact.place', () => rename(temporary, target));
      await syncFolder(dirname(target));
      return stored;
    } finally {
      await rm(temporary, { force: true });
    }
  }

  async has(digest: string): Promise<boolean> {
    const found = await stat(this.#place(digest)).catch(orMissing);
    return found?.isFile() ?? false;
  }

  async size(digest: string): Promise<number> {
    return (await this.#stat(digest)).size;
  }

  async read(digest: string, maxBytes: number = DEFAULT_READ_BYTES): Promise<Buffer> {
    const { size } = await this.#stat(digest);
    if (size > maxBytes) {
      throw new ArtifactError(
        'too-large',
        `Artifact ${digest} has ${size} bytes, more than the ${maxBytes} allowed here`,
      );
    }
    const bytes = await readFile(this.#place(digest));
    if (createHash('sha256').update(bytes).digest('hex') !== digest) throw corrupt(digest);
    return bytes;
  }

  async open(digest: string): Promise<Readable> {
    await this.#stat(digest);
    const hash = createHash('sha256');
    const check = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        hash.update(chunk);
        done(null, chunk);
      },
      flush(done) {
        done(hash.digest('hex') === digest ? null : corrupt(digest));
      },
    });
    const file = createReadStream(this.#place(digest));
    file.once('error', (error) => check.destroy(error));
    check.once('close', () => file.destroy());
    return file.pipe(check);
  }

  async pathOf(digest: string): Promise<string> {
    const path = this.#place(digest);
    const { size, mtimeMs, ino } = await this.#stat(digest);
    const identity = `${ino}/${size}/${mtimeMs}`;
    if (this.#checked.get(digest) === identity) return path;
    const hash = createHash('sha256');
    for await (const chunk of readFrom(path)) hash.update(chunk);
    if (hash.digest('hex') !== digest) throw corrupt(digest);
    this.#checked.set(digest, identity);
    return path;
  }

  /** The digests of all artifacts, in their order. What is put meanwhile may come or not. */
  async *list(): AsyncGenerator<string> {
    const folder = join(this.#root, 'sha256');
    for (const shard of (await readdir(folder).catch(orNothing)).sort())
      for (const digest of (await readdir(join(folder, shard)).catch(orNothing)).sort())
        if (isDigest(digest) && digest.startsWith(shard)) yield digest;
  }

  async #write(
    path: string,
    chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  ): Promise<StoredArtifact> {
    const hash = createHash('sha256');
    let sizeBytes = 0;
    const file = await open(path, 'wx', 0o444);
    try {
      for await (const chunk of chunks) {
        sizeBytes += chunk.byteLength;
        if (sizeBytes > this.#maxBytes) {
          throw new ArtifactError(
            'too-large',
            `The artifact has more than the ${this.#maxBytes} bytes allowed`,
          );
        }
        hash.update(chunk);
        await file.writeFile(chunk);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    if (sizeBytes === 0) throw new ArtifactError('empty', 'The artifact has no bytes');
    return { digest: hash.digest('hex'), sizeBytes };
  }

  async #stat(digest: string) {
    const found = await stat(this.#place(digest)).catch(orMissing);
    if (found?.isFile() === true) return found;
    throw new ArtifactError('missing', `No artifact with digest ${digest} in the store: put it there first`);
  }

  #place(digest: string): string {
    if (!isDigest(digest)) {
      throw new ArtifactError(
        'invalid-digest',
        `Digest ${JSON.stringify(digest)} is not 64 lower-case hex digits`,
      );
    }
    return join(this.#root, 'sha256', digest.slice(0, 2), digest);
  }
}

const readFrom = (path: string): AsyncIterable<Buffer> =>
  createReadStream(path, { highWaterMark: 1024 ** 2 });

const corrupt = (digest: string): ArtifactError =>
  new ArtifactError(
    'corrupt',
    `The stored bytes of artifact ${digest} are not those of its digest: put it again`,
  );

const orNothing = (error: unknown): string[] => orMissing(error) ?? [];

function orMissing(error: unknown): null {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
  throw error;
}

/** A rename is durable only when its folder is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
