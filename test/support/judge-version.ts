import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';

export const judgeFolder = new URL('../../src/statistics/canary/', import.meta.url);

/** `canary-judge/` and the first twelve hex digits of the SHA-256 over names and texts of the deciding code. */
export async function judgeVersion(): Promise<string> {
  const names = (await readdir(judgeFolder))
    .filter((name) => name.endsWith('.ts') && name !== 'version.ts')
    .sort();
  const hash = createHash('sha256');
  for (const name of names) hash.update(`${name}\0${await readFile(new URL(name, judgeFolder), 'utf8')}\0`);
  return `canary-judge/${hash.digest('hex').slice(0, 12)}`;
}
