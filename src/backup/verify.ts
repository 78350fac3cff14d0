import { isDeepStrictEqual } from 'node:util';
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { listedArtifacts } from './artifacts.js';
import { LedgerTally } from './dump.js';
import { BackupError } from './errors.js';
import { checkFile, damaged, hashOf, readDocuments } from './files.js';
import { type BackupManifest, MANIFEST_FILE, parseManifest } from './format.js';

/** Reads a backup's manifest. @throws BackupError when the folder is none, or one that this program cannot read */
export async function readManifest(folder: string): Promise<BackupManifest> {
  const file = join(folder, MANIFEST_FILE);
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
    return null;
  });
  if (text === null) {
    const what =
      (await stat(folder).catch(() => null)) === null ? 'There is no folder' : 'There is no whole backup in';
    throw new BackupError(
      'unreadable',
      `${what} ${folder}: it has no ${MANIFEST_FILE}, which is written last`,
    );
  }
  return parseManifest(text, file);
}

/**
 * Checks a backup without any server: each file against its digest, the documents against their counts, each artifact against its
 * digest, every hash and link of the ledger, and its heads.
 * @throws BackupError naming the first file that is not as it was written
 */
export async function verifyBackup(
  folder: string,
  onProgress: (text: string) => void = () => undefined,
): Promise<BackupManifest> {
  const manifest = await readManifest(folder);
  const { database, artifacts, temporal, ledger } = manifest;
  await checkFile(folder, database.forms);
  const tally = new LedgerTally();
  for (const { name, file, documents, content } of database.collections) {
    await checkFile(folder, file);
    let count = 0;
    const hash = createHash('sha256');
    for await (const document of readDocuments(folder, file)) {
      hash.update(document);
      count += 1;
      if (name === 'ledger') tally.next(document);
    }
    if (count !== documents) throw damaged(file.path, `it holds ${count} document(s), not ${documents}`);
    if (hash.digest('hex') !== content)
      throw damaged(file.path, 'its documents are not those that were read');
    onProgress(`${name}: ${documents} document(s)`);
  }
  const found = tally.result();
  if (!isDeepStrictEqual(found, ledger)) {
    const [bad] = found.bad.filter(({ stream }) => !ledger.bad.some((known) => known.stream === stream));
    const why =
      bad === undefined
        ? 'its heads are not those of the manifest'
        : `${bad.stream}, event ${bad.sequence}: ${bad.detail}`;
    throw damaged('mongodb/ledger.bson.gz', `the ledger in it does not verify: ${why}`);
  }
  await checkFile(folder, artifacts.list);
  let count = 0;
  for await (const { digest, path } of listedArtifacts(folder)) {
    const actual = await hashOf(join(folder, path)).catch(() => null);
    if (actual !== digest)
      throw damaged(path, actual === null ? 'it is not there' : `its SHA-256 is ${actual}`);
    count += 1;
  }
  if (count !== artifacts.count)
    throw damaged(artifacts.list.path, `it names ${count} artifact(s), not ${artifacts.count}`);
  onProgress(`artifacts: ${count}`);
  if (temporal.included) for (const file of temporal.files) await checkFile(folder, file);
  return manifest;
}
