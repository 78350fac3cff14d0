import { createHash, type Hash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { copyFile, mkdir, open, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { BackupError } from './errors.js';
import type { BackupFile } from './format.js';

/** MongoDB's own limit for a document is 16 MiB and a little. */
const MAX_DOCUMENT_BYTES = 17 * 1024 ** 2;

export interface WrittenDocuments {
  readonly file: BackupFile;
  readonly documents: number;
  /** SHA-256 of the BSON, one document after the other. */
  readonly content: string;
}

/**
 * Writes documents as BSON, one after the other, compressed by gzip: the form of `mongodump --gzip`. Holds a few at a time.
 * @param documents each as its BSON
 */
export async function writeDocuments(
  folder: string,
  path: string,
  documents: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<WrittenDocuments> {
  const content = createHash('sha256');
  let count = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const document of documents) {
      content.update(document);
      count += 1;
      yield document;
    }
  }
  const hash = createHash('sha256');
  await mkdir(dirname(join(folder, path)), { recursive: true, mode: 0o700 });
  await pipeline(
    counted(),
    createGzip(),
    watched(hash),
    createWriteStream(join(folder, path), { mode: 0o600, flags: 'wx' }),
  );
  const bytes = await synced(join(folder, path));
  return {
    file: { path, bytes, sha256: hash.digest('hex') },
    documents: count,
    content: content.digest('hex'),
  };
}

/**
 * Reads what `writeDocuments` wrote, a few documents at a time.
 * @throws BackupError `damaged` naming the file
 */
export async function* readDocuments(
  folder: string,
  { path }: Pick<BackupFile, 'path'>,
): AsyncGenerator<Buffer> {
  const file = createReadStream(join(folder, path));
  const plain = createGunzip();
  // Errors of the file come out where the plain text is read.
  file.once('error', (error) => plain.destroy(error));
  let rest: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of file.pipe(plain) as AsyncIterable<Buffer>) {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      let at = 0;
      while (rest.length - at >= 4) {
        const size = rest.readInt32LE(at);
        if (size < 5 || size > MAX_DOCUMENT_BYTES) throw damaged(path, 'it does not hold documents');
        if (rest.length - at < size) break;
        yield rest.subarray(at, at + size);
        at += size;
      }
      rest = rest.subarray(at);
    }
  } catch (error) {
    if (error instanceof BackupError) throw error;
    throw damaged(path, error instanceof Error ? error.message : String(error), error);
  } finally {
    file.destroy();
    plain.destroy();
  }
  if (rest.length > 0) throw damaged(path, 'its last document is cut off');
}

/** Without reading it here: quickest, where somebody waits. On file systems that can, nothing is copied at all. */
export async function snapFile(folder: string, path: string, source: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true, mode: 0o700 });
  await copyFile(source, join(folder, path), COPY_ON_WRITE);
}
/** `fs.constants.COPYFILE_FICLONE`. */
const COPY_ON_WRITE = 2;

/** Describes a file that is in the folder already. */
export async function describeFile(folder: string, path: string): Promise<BackupFile> {
  const bytes = await synced(join(folder, path));
  return { path, bytes, sha256: await hashOf(join(folder, path)) };
}

/** @throws BackupError `damaged` when a file is not there, or is not what was written */
export async function checkFile(folder: string, { path, bytes, sha256 }: BackupFile): Promise<void> {
  const found = await stat(join(folder, path)).catch(() => null);
  if (found === null || !found.isFile()) throw damaged(path, 'it is not there');
  if (found.size !== bytes) throw damaged(path, `it has ${found.size} bytes, not ${bytes}`);
  const actual = await hashOf(join(folder, path)).catch((error: unknown) => {
    throw damaged(path, error instanceof Error ? error.message : String(error), error);
  });
  if (actual !== sha256) throw damaged(path, `its SHA-256 is ${actual}, not ${sha256}`);
}

export async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 ** 2 }) as AsyncIterable<Buffer>)
    hash.update(chunk);
  return hash.digest('hex');
}

export const damaged = (path: string, why: string, cause?: unknown): BackupError =>
  new BackupError('damaged', `The backup is damaged at ${path}: ${why}. Use another backup`, { cause });

/** A name is durable only when its folder is. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** @returns the size in bytes of what is on the disk now */
async function synced(path: string): Promise<number> {
  const file = await open(path, 'r');
  try {
    await file.sync();
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}

function watched(hash: Hash): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
}
