import { setTimeout as sleep } from 'node:timers/promises';
import { logisticModel } from '../../test/support/onnx.js';
import type { Bench, BenchContext } from '../bench.js';
import { figure } from '../figure.js';
import type { BareSettings } from '../processes/bare-server.js';
import { type GatewayStage, MODEL, startGatewayStage } from '../support/gateway-stage.js';
import { load } from '../support/load.js';
import { startPart } from '../support/processes.js';
import { sideBySide } from '../support/rounds.js';
import { CANARY_WEIGHT, canary, singleRows } from './route.js';

const ROUNDS = 7;
const SECONDS = 4;
const CONNECTIONS = 16;
const COLUMNS = 10;
const PATH = `/v2/models/${MODEL}/infer`;

const weights = (shift: number): number[] => Array.from({ length: COLUMNS }, (_, i) => Math.sin(i + shift));

export const throughput: Bench = {
  name: 'gateway-throughput',
  what: 'single-row requests a second of a gateway in a canary, beside bare fastify with the same model on the same threads',
  figures: ['gateway-throughput'],
  async run(context) {
    const stage = await startGatewayStage(context);
    const files = [await artifact(stage, weights(0)), await artifact(stage, weights(0.1))] as const;
    await stage.route(
      canary({ version: 'v1', digest: files[0].sha256 }, { version: 'v2', digest: files[1].sha256 }),
    );
    const bare = await startBare(context, { where: 'threads', files, share: CANARY_WEIGHT });
    const requests = singleRows(2_000, COLUMNS);
    let answered = 0;
    const send = async (url: string): Promise<number> => {
      const result = await load({
        kind: 'closed',
        url,
        path: PATH,
        requests,
        connections: CONNECTIONS,
        seconds: SECONDS,
      });
      if (url === stage.url) answered += result.answered;
      return result.perSecond;
    };
    const seen = await sideBySide({
      rounds: ROUNDS,
      ours: () => send(stage.url),
      theirs: () => send(bare),
      onRound: context.say,
    });
    await sleep(2_000);
    context.say(`${answered} answered, ${await stage.counted()} counted`);
    return [
      figure({
        name: 'gateway-throughput',
        unit: 'requests/s',
        ...seen,
        aim: { of: 'ratio', at: 'least', bound: 0.8 },
      }),
    ];
  },
};

export async function startBare(context: BenchContext, settings: BareSettings): Promise<string> {
  const { said } = await startPart(context, {
    name: `bare server ${settings.where}`,
    entry: new URL('../processes/bare-server.ts', import.meta.url),
    args: [JSON.stringify(settings)],
    ready: /listens on (http\S+)/,
  });
  return said;
}

async function artifact(
  { artifacts }: GatewayStage,
  model: number[],
): Promise<{ file: string; sha256: string }> {
  const { digest } = await artifacts.put(logisticModel(model));
  return { file: await artifacts.pathOf(digest), sha256: digest };
}
