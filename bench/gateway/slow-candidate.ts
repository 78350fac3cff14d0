import { logisticModel, slowModel } from '../../test/support/onnx.js';
import { openModelThread } from '../../src/platform/onnx/thread.js';
import type { Bench } from '../bench.js';
import { figure } from '../figure.js';
import { type GatewayStage, startGatewayStage } from '../support/gateway-stage.js';
import { coreWaitSeconds } from '../support/cpu.js';
import { load } from '../support/load.js';
import { median, quantile, sideBySide } from '../support/rounds.js';
import { COLUMNS, CONNECTIONS, type ModelFile, PATH } from './pair.js';
import { canary, singleRows } from './route.js';

const ROUNDS = 5;
const SECONDS = 20;
const RATE = 200;
const CALL_MS = 5_000;
const TRIAL_TURNS = 300_000;
const WEIGHTS = Array.from({ length: COLUMNS }, (_, i) => Math.sin(i));
/** Enough that the candidate, which answers one of five a second, is asked for more than it can do. */
const WEIGHT = 0.02;
const USERS = 20_000;

export const slowCandidate: Bench = {
  name: 'gateway-slow-candidate',
  what: "the champion's 99th percentile beside a candidate that computes 5 s a call, against its own beside none",
  figures: ['gateway-slow-candidate'],
  async run(context) {
    const rounds = context.rounds ?? ROUNDS;
    const stage = await startGatewayStage(context);
    const champion = { version: 'v1', digest: await put(stage, logisticModel(WEIGHTS)) };
    const turns = await turnsFor(stage, CALL_MS);
    const candidate = { version: 'v2', digest: await put(stage, slowModel(WEIGHTS, turns)) };
    context.say(`the candidate makes ${turns} turns a call`);
    const settings = { deadlineMs: 10_000, trips: [] };
    const beside = canary(champion, candidate, { ...settings, candidate: { ...candidate, weight: WEIGHT } });
    const alone = canary(champion, candidate, { ...settings, candidate: null });
    const requests = singleRows(USERS, COLUMNS);
    const waits = { beside: [] as number[], alone: [] as number[] };
    const turn = async (desired: typeof beside, shares: number[]): Promise<number> => {
      await stage.route(desired);
      const [before, began] = [await coreWaitSeconds(), performance.now()];
      const { latencies } = await load({
        kind: 'open',
        url: stage.url,
        path: PATH,
        requests,
        // The candidate's requests hold theirs for seconds.
        connections: 10 * CONNECTIONS,
        seconds: SECONDS,
        rate: RATE,
        settleSeconds: 3,
        timed: { 'tenure-version': champion.version, 'tenure-fallback': 'false' },
      });
      const after = await coreWaitSeconds();
      if (before !== null && after !== null)
        shares.push((100_000 * (after - before)) / (performance.now() - began));
      return quantile(latencies, 0.99);
    };
    const seen = await sideBySide({
      rounds,
      ours: () => turn(beside, waits.beside),
      theirs: () => turn(alone, waits.alone),
      onRound: context.say,
    });
    return [
      figure({
        name: 'gateway-slow-candidate',
        unit: 'ms',
        ...seen,
        aim: { of: 'ratio', at: 'most', bound: 2 },
        note: `At ${RATE} requests/s, ${WEIGHT * 100} % of keys to the candidate, which keeps one core busy; the champion's own answers only; ${rounds} rounds${waited(waits)}`,
      }),
    ];
  },
};

/** Why it is as it is: how much of the time something waits for a core. */
function waited({ beside, alone }: Readonly<Record<'beside' | 'alone', readonly number[]>>): string {
  if (beside.length === 0 || alone.length === 0) return '';
  const [ours, theirs] = [beside, alone].map((shares) => Math.round(median(shares)));
  return `; something waited for a core in ${ours} % of the time beside it, ${theirs} % without`;
}

async function put({ artifacts }: GatewayStage, content: Uint8Array): Promise<string> {
  return (await artifacts.put(content)).digest;
}

/** Turns of the slow model for a call of so long on this machine at this moment. */
async function turnsFor(stage: GatewayStage, ms: number): Promise<number> {
  const digest = await put(stage, slowModel(WEIGHTS, TRIAL_TURNS));
  const file: ModelFile = { file: await stage.artifacts.pathOf(digest), sha256: digest };
  const thread = await openModelThread(file);
  try {
    const data = new Float32Array(COLUMNS).fill(0.5);
    const input = { name: 'x', datatype: 'FP32', shape: [1, COLUMNS], data } as const;
    const times: number[] = [];
    for (let i = 0; i < 5; i += 1) times.push((await thread.infer([input])).elapsedMs);
    return Math.round((TRIAL_TURNS * ms) / median(times));
  } finally {
    await thread.close();
  }
}
