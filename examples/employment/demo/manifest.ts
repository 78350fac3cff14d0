/** The example's model.yaml, with the times of the demo. */
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseDocument } from 'yaml';
import type { Pace } from './pace.js';

const MANIFEST = fileURLToPath(new URL('../model.yaml', import.meta.url)).replace('/dist/', '/');

/** Writes it to a folder. @returns its path */
export async function pacedManifest(
  folder: string,
  { stepSeconds, soakSeconds }: Pace['employment'],
): Promise<string> {
  const document = parseDocument(await readFile(MANIFEST, 'utf8'));
  const data = document.getIn(['validation', 'data']) as string;
  document.setIn(['validation', 'data'], resolve(dirname(MANIFEST), data));
  const { steps } = (document.toJS() as { readonly canary: { readonly steps: readonly object[] } }).canary;
  for (const step of steps.keys()) document.setIn(['canary', 'steps', step, 'minSeconds'], stepSeconds);
  document.setIn(['soak', 'seconds'], soakSeconds);
  const path = join(folder, 'employment.yaml');
  await writeFile(path, document.toString());
  return path;
}
