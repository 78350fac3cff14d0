/** Many people at their terminals. Settings as JSON in the file of the first argument; on SIGTERM what each act took is written to a file. */
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { TenureError } from '../../src/client/errors.js';
import { openSession } from '../../src/client/session.js';
import { loadConfig } from '../../src/config.js';
import { createRandom } from '../../test/support/random.js';
import { APPROVER, type WaitingRelease } from '../fleet/waiting.js';

export interface ClientsSettings {
  readonly models: readonly string[];
  readonly waiting: readonly WaitingRelease[];
  readonly clients: number;
  /** From one act of a client to its next, on average. */
  readonly everySeconds: number;
  /** Where {@link ClientsSeen} goes. */
  readonly file: string;
}

/** Acts that were answered: when each began, epoch milliseconds, and what it took, milliseconds. */
export type ActsSeen = Readonly<
  Record<'status' | 'list' | 'approve', (readonly [at: number, took: number])[]>
>;

export interface ClientsSeen {
  readonly acts: ActsSeen;
  readonly failed: number;
  /** Why, of the first few. */
  readonly failures: readonly string[];
}

/** Rows of a page of the list, as a person sees them. */
const PAGE = 100;
/** Of ten acts. */
const SHARES: readonly (keyof ActsSeen)[] = [
  ...Array.from({ length: 8 }, () => 'status' as const),
  'list',
  'approve',
];

const { models, waiting, clients, everySeconds, file } = JSON.parse(
  readFileSync(process.argv[2] ?? '', 'utf8'),
) as ClientsSettings;
const config = loadConfig();
if (config.temporal === null) throw new Error('TEMPORAL_ADDRESS must be set');
const tenure = await openSession(config, { patienceMs: 60_000 }).tenure();
const connection = await Connection.connect(config.temporal.connection);
const client = new Client({ connection, namespace: config.namespace });
const random = createRandom(5);
const seen: ActsSeen = { status: [], list: [], approve: [] };
let failed = 0;
const failures: string[] = [];

const acts = {
  status: () => tenure.model(models[random.below(models.length)] ?? ''),
  list: async () => {
    let rows = 0;
    const query = `WorkflowType = 'modelLifecycle' AND ExecutionStatus = 'Running'`;
    for await (const _ of client.workflow.list({ query, pageSize: PAGE })) if ((rows += 1) === PAGE) break;
  },
  // The same person again: refused with the reason after the first time, and recorded each time.
  approve: async () => {
    const { model, release } = waiting[random.below(waiting.length)] ?? { model: '', release: 0 };
    const decision = { decision: 'approve', approver: APPROVER, reason: 'the report was read' } as const;
    await tenure.decide(model, release, decision).catch((error: unknown) => {
      if (!(error instanceof TenureError) || error.code !== 'refused') throw error;
    });
  },
};

async function person(): Promise<never> {
  for (;;) {
    await sleep(2_000 * everySeconds * random.uniform());
    const what = SHARES[random.below(SHARES.length)] ?? 'status';
    const [at, began] = [Date.now(), performance.now()];
    try {
      await acts[what]();
      seen[what].push([at, performance.now() - began]);
    } catch (error) {
      failed += 1;
      if (failures.length < 3) failures.push(`${what}: ${String(error).slice(0, 300)}`);
    }
  }
}

process.once('SIGTERM', () => {
  writeFileSync(file, JSON.stringify({ acts: seen, failed, failures } satisfies ClientsSeen));
  process.exit(0);
});
process.stdout.write('The clients are there\n');
await Promise.all(Array.from({ length: clients }, person));
