import { setTimeout as sleep } from 'node:timers/promises';
import { logisticModel } from '../../test/support/onnx.js';
import type { BenchContext } from '../bench.js';
import type { BareSettings } from '../processes/bare-server.js';
import { cpuSeconds } from '../support/cpu.js';
import { type GatewayStage, MODEL, startGatewayStage } from '../support/gateway-stage.js';
import { load, type LoadRequest } from '../support/load.js';
import { startPart } from '../support/processes.js';
import { CANARY_WEIGHT, canary, singleRows } from './route.js';

export const COLUMNS = 10;
export const CONNECTIONS = 16;
export const PATH = `/v2/models/${MODEL}/infer`;
/** Single rows of users who come back, all of whom are known after the first round. */
export const REQUESTS: readonly LoadRequest[] = singleRows(2_000, COLUMNS);

export interface Server {
  readonly url: string;
  readonly pid: number;
}

export type ModelFile = BareSettings['files'][number];

export interface Pair {
  /** In a canary of 10 %, with everything on. */
  readonly gateway: GatewayStage;
  /** Fastify with the same two files on two threads, one of which gets 10 % of the requests. */
  readonly bare: Server;
  readonly files: readonly [ModelFile, ModelFile];
}

export async function startPair(context: BenchContext): Promise<Pair> {
  const gateway = await startGatewayStage(context);
  const files = [await artifact(gateway, 0), await artifact(gateway, 0.1)] as const;
  const [champion, candidate] = files;
  await gateway.route(
    canary({ version: 'v1', digest: champion.sha256 }, { version: 'v2', digest: candidate.sha256 }),
  );
  const bare = await startBare(context, { where: 'threads', files, share: CANARY_WEIGHT });
  return { gateway, bare, files };
}

export async function startBare(context: BenchContext, settings: BareSettings): Promise<Server> {
  const { said, pid } = await startPart(context, {
    name: `bare server ${settings.where}`,
    module: 'bench/processes/bare-server',
    args: [JSON.stringify(settings)],
    ready: /listens on (http\S+)/,
  });
  return { url: said, pid };
}

async function artifact({ artifacts }: GatewayStage, shift: number): Promise<ModelFile> {
  const weights = Array.from({ length: COLUMNS }, (_, i) => Math.sin(i + shift));
  const { digest } = await artifacts.put(logisticModel(weights));
  return { file: await artifacts.pathOf(digest), sha256: digest };
}

export interface Turn {
  readonly perSecond: number;
  readonly answered: number;
  /** CPU microseconds of the server a request. */
  readonly cpu: number;
}

/** What is asked for. */
interface Asked {
  readonly path: string;
  readonly requests: readonly LoadRequest[];
}

/** As much as a server answers, for some seconds. */
export async function fullTurn(
  { url, pid }: Server,
  seconds: number,
  asked: Asked = { path: PATH, requests: REQUESTS },
): Promise<Turn> {
  const before = await cpuSeconds(pid);
  const target = { url, ...asked, connections: CONNECTIONS, seconds };
  const { perSecond, answered } = await load({ kind: 'closed', ...target });
  return { perSecond, answered, cpu: ((await cpuSeconds(pid)) - before) * (1e6 / answered) };
}

/**
 * That the windows were really counted: they hold every answered request, and no more than were sent (a generator leaves one a
 * connection open at its end). They are flushed every second.
 * @throws Error otherwise
 */
export async function mustBeCounted(
  gateway: GatewayStage,
  sent: { readonly answered: number; readonly leftOpen: number },
): Promise<void> {
  const most = sent.answered + sent.leftOpen;
  let found = 0;
  for (let tries = 0; tries < 20; tries += 1) {
    await sleep(500);
    found = await gateway.counted();
    if (found >= sent.answered && found <= most) return;
  }
  throw new Error(`The windows hold ${found} requests; ${sent.answered} were answered, ${most} sent at most`);
}
