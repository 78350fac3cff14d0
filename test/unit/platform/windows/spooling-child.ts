import type { WindowBatch } from '../../../../src/contracts/windows.js';
import { Spool } from '../../../../src/platform/windows/spool.js';

// Started by spool.test.ts under a limit for files: spools batches of 100 kB until the kernel refuses three, and says which it kept.

const batch = (sequence: number): WindowBatch => ({
  gateway: 'g',
  boot: 'of the child',
  sequence,
  lost: { batches: 0, requests: 0 },
  model: 'm',
  span: 'batch',
  from: Date.now(),
  to: Date.now(),
  tables: [],
  cells: [],
  releases: [1],
  level: 0,
  evidence: [{ generation: 1, digest: '1'.repeat(64), seen: 'x'.repeat(100_000), newBad: '' }],
});

const [file = ''] = process.argv.slice(2);
const spool = new Spool(file);
await spool.open();
const kept: number[] = [];
const errors: string[] = [];
for (let sequence = 1; errors.length < 3; sequence += 1) {
  try {
    await spool.add(batch(sequence));
    kept.push(sequence);
  } catch (error) {
    errors.push(error instanceof Error && 'code' in error ? String(error.code) : String(error));
  }
}
process.send?.({ kept, errors, bytes: spool.bytes });
process.disconnect();
