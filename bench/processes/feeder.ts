/** Feeds a fleet through `POST /observations`: a batch a model a minute, spread over the minute. Settings as JSON in the first argument. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '../../test/support/random.js';
import { drawRow, featureNames } from '../fleet/rows.js';

export interface FeederSettings {
  readonly url: string;
  readonly models: readonly string[];
  /** In a batch. */
  readonly rows: number;
  /**
   * From a moment on (epoch milliseconds) the rows of every n-th model are of another world, and their batches' ids begin with
   * `bad/`. They are spread over the minute as the others are.
   */
  readonly bad?: { readonly from: number; readonly every: number };
}

const MINUTE = 60_000;
/** Rows of all models are drawn from so many: drawing them anew would cost as much as sending them. */
const DRAWN = 20_000;
/** The gateway takes 64 small batches at once, and stores 16 together. */
const AT_ONCE = 24;
/** Features that bad rows have a standard deviation too high. */
const SHIFTED = 3;

const { url, models, rows, bad } = JSON.parse(process.argv[2] ?? '') as FeederSettings;
const random = createRandom(11);
const draw = (shift: number) =>
  Array.from({ length: DRAWN }, () => {
    const { values, score } = drawRow(random);
    const valueOf = (i: number): number => (values[i] ?? 0) + (i < SHIFTED ? shift : 0);
    return { inputs: Object.fromEntries(featureNames.map((name, i) => [name, valueOf(i)])), score };
  });
const drawn = draw(0);
const shifted = bad === undefined ? drawn : draw(1);
const run = String(Date.now());
let complaints = 0;

function complain(text: string): void {
  complaints += 1;
  if (complaints <= 3) process.stdout.write(`${text.slice(0, 500)}\n`);
}

async function send(model: string, place: number, turn: number): Promise<void> {
  const now = Date.now();
  const first = random.below(DRAWN);
  const isBad = bad !== undefined && place % bad.every === 0 && now >= bad.from;
  const from = isBad ? shifted : drawn;
  const body = JSON.stringify({
    model,
    version: 'v1',
    batch: `${isBad ? 'bad/' : ''}${run}/${turn}`,
    rows: Array.from({ length: rows }, (_, i) => ({
      ...from[(first + i) % DRAWN],
      at: new Date(now - 1_000 * (i % 10)).toISOString(),
    })),
  });
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}/observations`, { method: 'POST', headers, body }).catch(
    (error: unknown) => complain(String(error)),
  );
  if (response === undefined) return;
  const text = await response.text();
  if (!response.ok) complain(`${response.status} ${text}`);
}

/** Each model at its own place in the minute, so that each window gets one batch. */
async function feed(lane: number, began: number): Promise<never> {
  for (let turn = 0; ; turn += 1) {
    for (let i = lane; i < models.length; i += AT_ONCE) {
      const due = began + turn * MINUTE + (i / models.length) * MINUTE;
      const pause = due - Date.now();
      if (pause > 0) await sleep(pause);
      await send(models[i] ?? '', i, turn);
    }
  }
}

process.stdout.write('The feeder feeds\n');
await Promise.all(Array.from({ length: AT_ONCE }, (_, lane) => feed(lane, Date.now())));
