/** Writes the version of the canary's deciding code into version.ts: `npm run judge:version`. */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { judgeFolder, judgeVersion } from '../test/support/judge-version.js';

const file = fileURLToPath(new URL('version.ts', judgeFolder));
const version = await judgeVersion();
const text = await readFile(file, 'utf8');
await writeFile(file, text.replace(/'canary-judge\/[0-9a-f]{12}'/, `'${version}'`));
process.stdout.write(`${version}\n`);
