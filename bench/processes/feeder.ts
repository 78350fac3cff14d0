/** Feeds a fleet through `POST /observations`, evenly in time. Settings as JSON in the file of the first argument. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '../../test/support/random.js';
import { drawRow, featureNames } from '../fleet/rows.js';

export interface FeederSettings {
  readonly url: string;
  readonly models: readonly string[];
  /** In a batch. */
  readonly rows: number;
  /** From one batch of a model to its next. */
  readonly everySeconds: number;
  /**
   * From a moment on (epoch milliseconds) the rows of every n-th model are of another world, and their batches' ids begin with
   * `bad/`. They are spread over time as the others are.
   */
  readonly bad?: { readonly from: number; readonly every: number };
}

/** Rows of all models are drawn from so many, and written down once: doing so anew would cost more than sending them. */
const DRAWN = 20_000;
/** The gateway takes 64 small batches at once, and stores 16 together. */
const AT_ONCE = 48;
/** Features that bad rows have a standard deviation too high. */
const SHIFTED = 3;

const { url, models, rows, everySeconds, bad } = JSON.parse(
  readFileSync(process.argv[2] ?? '', 'utf8'),
) as FeederSettings;
const random = createRandom(11);
const draw = (shift: number) =>
  Array.from({ length: DRAWN }, () => {
    const { values, score } = drawRow(random);
    const valueOf = (i: number): number => (values[i] ?? 0) + (i < SHIFTED ? shift : 0);
    const inputs = Object.fromEntries(featureNames.map((name, i) => [name, valueOf(i)]));
    return JSON.stringify({ inputs, score }).slice(0, -1);
  });
const drawn = draw(0);
const shifted = bad === undefined ? drawn : draw(1);
const everyMs = 1_000 * everySeconds;
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
  const times = Array.from({ length: 10 }, (_, i) => new Date(now - 1_000 * i).toISOString());
  const head = JSON.stringify({ model, version: 'v1', batch: `${isBad ? 'bad/' : ''}${run}/${turn}` });
  const each = Array.from(
    { length: rows },
    (_, i) => `${from[(first + i) % DRAWN]},"at":"${times[i % times.length]}"}`,
  );
  const body = `${head.slice(0, -1)},"rows":[${each.join(',')}]}`;
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}/observations`, { method: 'POST', headers, body }).catch(
    (error: unknown) => complain(String(error)),
  );
  if (response === undefined) return;
  const text = await response.text();
  if (!response.ok) complain(`${response.status} ${text}`);
}

/** Each model at its own place in time: of a window as long as that, each gets one batch. */
async function feed(lane: number, began: number): Promise<never> {
  for (let turn = 0; ; turn += 1) {
    for (let i = lane; i < models.length; i += AT_ONCE) {
      const due = began + turn * everyMs + (i / models.length) * everyMs;
      const pause = due - Date.now();
      if (pause > 0) await sleep(pause);
      await send(models[i] ?? '', i, turn);
    }
  }
}

process.stdout.write('The feeder feeds\n');
await Promise.all(Array.from({ length: AT_ONCE }, (_, lane) => feed(lane, Date.now())));
