/** Writes docs/model.schema.json and docs/manifest.md from the schema of model.yaml: `npm run docs:schema`. */
import { writeFile } from 'node:fs/promises';
import { manifestJsonSchema, manifestReference } from '../src/manifest/index.js';

const docs = new URL('../docs/', import.meta.url);
await writeFile(new URL('model.schema.json', docs), `${JSON.stringify(manifestJsonSchema(), null, 2)}\n`);
await writeFile(new URL('manifest.md', docs), manifestReference());
