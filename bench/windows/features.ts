import { setTimeout as sleep } from 'node:timers/promises';
import type { VersionRef } from '../../src/contracts/model.js';
import { ProfileStore, type VersionProfile } from '../../src/platform/profiles/index.js';
import { windowsOf } from '../../src/platform/windows/collections.js';
import { numericProfile, scoreProfile } from '../../src/statistics/profile/build.js';
import { logisticModel } from '../../test/support/onnx.js';
import type { Bench } from '../bench.js';
import { figure } from '../figure.js';
import { fullTurn, type Turn } from '../gateway/pair.js';
import { canary, singleRows } from '../gateway/route.js';
import { type GatewayStage, MODEL, startGatewayStage } from '../support/gateway-stage.js';
import { compare } from '../support/rounds.js';

const FEATURES = 16;
const ROUNDS = 15;
const SECONDS = 2;
/** Another model of the same gateway, with the same files and no profile. */
const PLAIN = 'plain';
const REQUESTS = singleRows(2_000, FEATURES);
const PATIENCE_MS = 30_000;

export const features: Bench = {
  name: 'windows-load',
  what: 'single-row requests a second of a gateway that counts 16 features in the bins of a profile, beside the same without',
  figures: ['windows-throughput', 'windows-cpu'],
  async run(context) {
    const rounds = context.rounds ?? ROUNDS;
    const gateway = await startGatewayStage(context);
    await startModels(gateway);
    const seen: { readonly ours: Turn; readonly theirs: Turn }[] = [];
    let answered = 0;
    // The first round warms up and is thrown away; who goes first alternates.
    for (let round = 0; round <= rounds; round += 1) {
      const turn = (model: string): Promise<Turn> =>
        fullTurn(gateway, SECONDS, { path: `/v2/models/${model}/infer`, requests: REQUESTS });
      const first = await turn(round % 2 === 0 ? MODEL : PLAIN);
      const second = await turn(round % 2 === 0 ? PLAIN : MODEL);
      const [ours, theirs] = round % 2 === 0 ? [first, second] : [second, first];
      answered += ours.answered;
      if (round === 0) continue;
      seen.push({ ours, theirs });
      context.say(
        `round ${round} of ${rounds}: ${Math.round(ours.perSecond)} and ${Math.round(theirs.perSecond)} requests/s, ` +
          `${Math.round(ours.cpu)} and ${Math.round(theirs.cpu)} µs of CPU a request (with features, without)`,
      );
    }
    const rows = await rowsCounted(gateway, answered);
    const pairs = (of: 'perSecond' | 'cpu') =>
      compare(seen.map(({ ours, theirs }) => ({ ours: ours[of], theirs: theirs[of] })));
    return [
      figure({
        name: 'windows-throughput',
        unit: 'requests/s',
        ...pairs('perSecond'),
        aim: { of: 'ratio', at: 'least', bound: 0.85 },
        note: `${FEATURES} numeric features of 50 bins and the score; theirs: the same files without a profile, on the same gateway; ${rows} rows found in the windows`,
      }),
      figure({ name: 'windows-cpu', unit: 'µs of CPU a request', ...pairs('cpu') }),
    ];
  },
};

async function startModels(gateway: GatewayStage): Promise<void> {
  const weights = (shift: number): number[] =>
    Array.from({ length: FEATURES }, (_, i) => Math.sin(i + shift));
  const [champion, candidate] = await Promise.all(
    [0, 0.1].map(async (shift, i): Promise<VersionRef> => {
      const { digest } = await gateway.artifacts.put(logisticModel(weights(shift)));
      await new ProfileStore(gateway.db).put(profileOf(digest, weights(shift)));
      return { version: `v${i + 1}`, digest };
    }),
  );
  if (champion === undefined || candidate === undefined) throw new Error('There are two versions');
  for (const model of [MODEL, PLAIN]) await gateway.route(canary(champion, candidate), model);
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    const health = (await (await fetch(`${gateway.url}/tenure/health`)).json()) as {
      readonly profiles: { readonly counted: number };
    };
    if (health.profiles.counted === 2) return;
    if (performance.now() > end) throw new Error(`The gateway has ${health.profiles.counted} of 2 profiles`);
    await sleep(100);
  }
}

/** Of the rows that will be sent. */
function profileOf(artifact: string, weights: readonly number[]): VersionProfile {
  const rows = REQUESTS.map(({ body }): readonly number[] => {
    const { inputs } = JSON.parse(body) as {
      readonly inputs: readonly [{ readonly data: readonly number[] }];
    };
    return inputs[0].data.map(Math.fround);
  });
  const scores = rows.map((row) => {
    const sum = row.reduce((total, value, i) => total + value * (weights[i] ?? 0), 0);
    return 1 / (1 + Math.exp(-sum));
  });
  const labels = scores.map((score, i) => (((i * 37) % 101) / 101 < score ? 1 : 0));
  const columns = weights.map((_, i) =>
    numericProfile(
      `x[${i}]`,
      rows.map((row) => row[i]),
    ),
  );
  return {
    format: 1,
    model: MODEL,
    artifact,
    data: '0'.repeat(64),
    sources: columns.map((_, element) => ({
      from: 'input',
      name: 'x',
      datatype: 'FP32',
      element,
      width: FEATURES,
    })),
    score: 'score',
    lacks: [],
    profile: {
      format: 1,
      rows: rows.length,
      features: columns,
      score: scoreProfile(scores, labels, 0.5, 200),
    },
  };
}

/**
 * That the features were really counted.
 * @throws Error when the windows hold fewer rows than were answered
 */
async function rowsCounted({ db }: GatewayStage, answered: number): Promise<number> {
  let rows = 0;
  for (let tries = 0; tries < 20; tries += 1) {
    await sleep(500);
    const batches = await windowsOf(db).find({ model: MODEL }).toArray();
    rows = batches
      .flatMap(({ cells }) => cells)
      .reduce((sum, cell) => {
        const counted = cell.features?.features[0];
        if (counted?.kind !== 'numeric') return sum;
        return sum + counted.below + counted.above + counted.counts.reduce((a, b) => a + b, 0);
      }, 0);
    if (rows >= answered) return rows;
  }
  throw new Error(`The windows hold features of ${rows} rows; ${answered} were answered`);
}
