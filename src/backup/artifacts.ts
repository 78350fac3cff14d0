import { createReadStream, createWriteStream } from 'node:fs';
import { link, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { effect } from '../fail-points/index.js';
import { ArtifactError, type FolderArtifactStore, isDigest } from '../platform/registry/index.js';
import { damaged, describeFile, hashOf } from './files.js';
import type { BackupContent } from './format.js';

const ARTIFACT_LIST = 'artifacts.sha256';

const placeOf = (digest: string): string => `artifacts/sha256/${digest.slice(0, 2)}/${digest}`;

export interface CopiedArtifacts {
  readonly artifacts: BackupContent['artifacts'];
  /** Artifacts of the store whose bytes are not those of their digest: left out. */
  readonly damaged: readonly string[];
}

/**
 * Copies all artifacts, each checked by its digest on the way. Call it after the database was read: a version is registered after
 * its artifact was stored, so all that the database names are here.
 * @param earlier folder of an earlier backup, whose artifacts are linked where they are whole: nothing is stored twice
 */
export async function copyArtifacts(
  store: FolderArtifactStore,
  folder: string,
  earlier: string | null,
  onProgress: (text: string) => void,
): Promise<CopiedArtifacts> {
  const lines: string[] = [];
  const bad: string[] = [];
  let bytes = 0;
  for await (const digest of store.list()) {
    const path = join(folder, placeOf(digest));
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    try {
      const linked = earlier !== null && (await linkFrom(join(earlier, placeOf(digest)), path, digest));
      if (!linked)
        await effect('backup.file', async () =>
          pipeline(
            await store.open(digest),
            createWriteStream(path, { flags: 'w', mode: 0o400, flush: true }),
          ),
        );
      bytes += await store.size(digest);
      lines.push(`${digest}  ${placeOf(digest)}\n`);
      if (lines.length % 1_000 === 0) onProgress(`artifacts: ${lines.length}`);
    } catch (error) {
      if (!(error instanceof ArtifactError)) throw error;
      await rm(path, { force: true });
      bad.push(digest);
    }
  }
  await writeFile(join(folder, ARTIFACT_LIST), lines.join(''), { flag: 'wx', mode: 0o600 });
  onProgress(`artifacts: ${lines.length}`);
  const list = await describeFile(folder, ARTIFACT_LIST);
  return { artifacts: { list, count: lines.length, bytes }, damaged: bad };
}

/** @returns false when the earlier backup does not have it, has it damaged, or is on another disk */
async function linkFrom(from: string, to: string, digest: string): Promise<boolean> {
  try {
    if ((await hashOf(from)) !== digest) return false;
    await link(from, to);
    return true;
  } catch (error) {
    const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'EXDEV' || code === 'EPERM' || code === 'EMLINK') return false;
    throw error;
  }
}

/** The artifacts that a backup holds. @throws BackupError `damaged` for a line that is none */
export async function* listedArtifacts(
  folder: string,
): AsyncGenerator<{ readonly digest: string; readonly path: string }> {
  for await (const line of createInterface({ input: createReadStream(join(folder, ARTIFACT_LIST)) })) {
    const digest = line.slice(0, 64);
    if (!isDigest(digest) || line !== `${digest}  ${placeOf(digest)}`)
      throw damaged(ARTIFACT_LIST, `the line ${JSON.stringify(line.slice(0, 200))} names no artifact`);
    yield { digest, path: placeOf(digest) };
  }
}

/** Puts all artifacts of a backup into a store; what is there already and whole stays. @returns how many were put */
export async function restoreArtifacts(folder: string, store: FolderArtifactStore): Promise<number> {
  let put = 0;
  for await (const { digest, path } of listedArtifacts(folder)) {
    const isThere = await store.pathOf(digest).then(
      () => true,
      (error: unknown) => {
        if (error instanceof ArtifactError) return false;
        throw error;
      },
    );
    if (isThere) continue;
    const stored = await effect('restore.artifact', () => store.put({ file: join(folder, path) }));
    if (stored.digest !== digest) throw damaged(path, `its SHA-256 is ${stored.digest}`);
    put += 1;
  }
  return put;
}
