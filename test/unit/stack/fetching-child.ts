import { appendFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { installFrom } from '../../../src/stack/binaries/cache.js';
import { findBinary, sourcesOf } from '../../../src/stack/binaries/find.js';
import { PINS } from '../../../src/stack/binaries/pins.js';

// Started by find-by-many.test.ts: finds mongod in a cache, else "fetches" it in two halves with time between them.

const [cacheDir = '', betweenMs = '0'] = process.argv.slice(2);
const cache = sourcesOf('mongod', { cacheDir }).filter(({ name }) => name === 'the cache');
process.send?.('asking');
const { path } = await findBinary('mongod', { cacheDir }, [
  ...cache,
  {
    name: 'a slow download',
    fetches: true,
    find: () =>
      installFrom(cacheDir, 'mongod', PINS.mongod.vendor, async (draft) => {
        appendFileSync(join(cacheDir, 'fetches'), `${process.pid}\n`);
        const program = join(draft, 'mongod');
        await writeFile(program, '#!/bin/sh\n', { mode: 0o755 });
        process.send?.('half');
        await sleep(Number(betweenMs));
        await writeFile(program, '#!/bin/sh\necho version 7.0.0\n');
      }),
  },
]);
process.send?.(path);
process.disconnect();
