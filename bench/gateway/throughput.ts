import { setTimeout as sleep } from 'node:timers/promises';
import { logisticModel } from '../../test/support/onnx.js';
import type { Bench, BenchContext } from '../bench.js';
import { figure } from '../figure.js';
import type { BareSettings } from '../processes/bare-server.js';
import { cpuSeconds } from '../support/cpu.js';
import { type GatewayStage, MODEL, startGatewayStage } from '../support/gateway-stage.js';
import { load } from '../support/load.js';
import { startPart } from '../support/processes.js';
import { compare, median } from '../support/rounds.js';
import { CANARY_WEIGHT, canary, singleRows } from './route.js';

const ROUNDS = 15;
const SECONDS = 2;
const CONNECTIONS = 16;
const COLUMNS = 10;
const USERS = 2_000;
const PATH = `/v2/models/${MODEL}/infer`;

export interface Server {
  readonly url: string;
  readonly pid: number;
}

interface Turn {
  readonly perSecond: number;
  readonly answered: number;
  /** CPU microseconds of the server a request. */
  readonly cpu: number;
}

/** A bench's closed load on one server. */
async function turn({ url, pid }: Server): Promise<Turn> {
  const before = await cpuSeconds(pid);
  const { perSecond, answered } = await load({
    kind: 'closed',
    url,
    path: PATH,
    requests: singleRows(USERS, COLUMNS),
    connections: CONNECTIONS,
    seconds: SECONDS,
  });
  return { perSecond, answered, cpu: ((await cpuSeconds(pid)) - before) * (1e6 / answered) };
}

export const throughput: Bench = {
  name: 'gateway-load',
  what: 'single-row requests a second of a gateway in a canary, beside bare fastify with the same model on the same threads',
  figures: ['gateway-throughput', 'gateway-cpu', 'gateway-in-thread'],
  async run(context) {
    const total = context.rounds ?? ROUNDS;
    const stage = await startGatewayStage(context);
    const files = [await artifact(stage, 0), await artifact(stage, 0.1)] as const;
    const [champion, candidate] = files;
    await stage.route(
      canary({ version: 'v1', digest: champion.sha256 }, { version: 'v2', digest: candidate.sha256 }),
    );
    const bare = await startBare(context, { where: 'threads', files, share: CANARY_WEIGHT });
    const inThread = await startBare(context, { where: 'in-thread', files, share: 0 });
    const rounds: { readonly ours: Turn; readonly theirs: Turn; readonly inThread: Turn }[] = [];
    let answered = 0;
    for (let round = 0; round <= total; round += 1) {
      // Who goes first changes; the first round warms up and is thrown away.
      const turns = new Map<Server, Turn>();
      const order = [stage, bare, inThread];
      for (const server of round % 2 === 0 ? order : order.reverse()) turns.set(server, await turn(server));
      const [ours, theirs, third] = [stage, bare, inThread].map((server) => turns.get(server) as Turn) as [
        Turn,
        Turn,
        Turn,
      ];
      answered += ours.answered;
      if (round === 0) continue;
      rounds.push({ ours, theirs, inThread: third });
      context.say(
        `round ${round} of ${total}: ${Math.round(ours.perSecond)} beside ${Math.round(theirs.perSecond)} and ${Math.round(third.perSecond)} requests/s, ` +
          `${Math.round(ours.cpu)} beside ${Math.round(theirs.cpu)} and ${Math.round(third.cpu)} µs of CPU a request`,
      );
    }
    await mustBeCounted(stage, answered, total + 1);
    const pairs = (of: 'perSecond' | 'cpu', other: 'theirs' | 'inThread') =>
      compare(rounds.map((round) => ({ ours: round.ours[of], theirs: round[other][of] })));
    return [
      figure({
        name: 'gateway-throughput',
        unit: 'requests/s',
        ...pairs('perSecond', 'theirs'),
        aim: { of: 'ratio', at: 'least', bound: 0.8 },
        note: `${CONNECTIONS} connections; ${answered} answers of the gateway, all found in its windows; medians of ${total} rounds`,
      }),
      figure({
        name: 'gateway-cpu',
        unit: 'µs of CPU a request',
        ...pairs('cpu', 'theirs'),
        note: 'All threads of the server, user and system: what a request costs whatever else the machine does',
      }),
      figure({
        name: 'gateway-in-thread',
        unit: 'requests/s',
        ...pairs('perSecond', 'inThread'),
        note: 'Bare fastify with inference on the thread that serves HTTP, where a slow model stops everything',
      }),
    ];
  },
};

/** Windows are flushed every second. Requests that a generator leaves open at its end are counted too. */
async function mustBeCounted(stage: GatewayStage, answered: number, runs: number): Promise<void> {
  const most = answered + runs * CONNECTIONS;
  let counted = 0;
  for (let tries = 0; tries < 20; tries += 1) {
    await sleep(500);
    counted = await stage.counted();
    if (counted >= answered && counted <= most) return;
  }
  throw new Error(`The windows hold ${counted} requests; ${answered} to ${most} were sent`);
}

export function startBare(context: BenchContext, settings: BareSettings): Promise<Server> {
  return startPart(context, {
    name: `bare server ${settings.where}`,
    module: 'bench/processes/bare-server',
    args: [JSON.stringify(settings)],
    ready: /listens on (http\S+)/,
  }).then(({ said, pid }) => ({ url: said, pid }));
}

async function artifact(
  { artifacts }: GatewayStage,
  shift: number,
): Promise<{ file: string; sha256: string }> {
  const weights = Array.from({ length: COLUMNS }, (_, i) => Math.sin(i + shift));
  const { digest } = await artifacts.put(logisticModel(weights));
  return { file: await artifacts.pathOf(digest), sha256: digest };
}
