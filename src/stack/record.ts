import { randomUUID } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProcessIdentity } from '../processes/identity.js';

/**
 * What a folder's stack keeps in `stack.json` beside its data; changed only under the folder's lock. The servers'
 * process ids are not in it: they are found by their arguments, which name the folder, so there is no moment at which
 * a server runs unrecorded.
 */
export interface StackRecord {
  /** Whose `stop` ends the servers. */
  readonly owner: (ProcessIdentity & { readonly token: string }) | null;
  /** Ports outlive the servers and are used again. */
  readonly temporal: { readonly port: number; readonly uiPort: number } | null;
  readonly mongod: { readonly port: number } | null;
}

const NOTHING: StackRecord = { owner: null, temporal: null, mongod: null };

const fileOf = (dataDir: string) => join(dataDir, 'stack.json');

/** @throws Error when the file is there and cannot be read */
export async function readRecord(dataDir: string): Promise<StackRecord> {
  const text = await readFile(fileOf(dataDir), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return NOTHING;
  try {
    return JSON.parse(text) as StackRecord;
  } catch {
    throw new Error(`${fileOf(dataDir)} is not JSON; delete it to have ports chosen anew (the data stay)`);
  }
}

/** Written whole or not at all. */
export async function writeRecord(dataDir: string, record: StackRecord): Promise<void> {
  const draft = `${fileOf(dataDir)}.${randomUUID()}`;
  const file = await open(draft, 'w', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(record, null, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, fileOf(dataDir));
}
