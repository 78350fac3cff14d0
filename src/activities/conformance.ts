import { cancellationSignal, heartbeat } from '@temporalio/activity';
import type { ConformanceActivities } from '../contracts/activities.js';
import { FailureType } from '../contracts/failures.js';
import type { GatewayRecord } from '../contracts/routes.js';
import type { ArtifactStore } from '../platform/registry/index.js';
import type { RoutingStore } from '../platform/serving/index.js';
import { compareScores, type Difference, type GoldenRow, readGolden } from './conformance/golden.js';
import { notConfirmed, refusal, withFailures } from './failures.js';

export interface ConformanceSettings {
  /** Requests in flight a gateway. */
  readonly concurrency: number;
  readonly requestTimeoutMs: number;
  /** A gateway silent for longer is left out: it has to catch up with the table before it serves the version. */
  readonly silentSeconds: number;
}

const DEFAULT_SETTINGS: ConformanceSettings = { concurrency: 4, requestTimeoutMs: 10_000, silentSeconds: 15 };
const MOST_NAMED = 5;
const MAX_GOLDEN_BYTES = 64 * 1024 ** 2;
/** Answers about the version and the input; all others are about the moment, and are tried again. */
const FINAL_STATUS = [400, 422, 500];

type Check = Parameters<ConformanceActivities['checkConformance']>[0];

export function createConformanceActivities(deps: {
  readonly artifacts: ArtifactStore;
  readonly routes: RoutingStore;
  readonly settings?: Partial<ConformanceSettings>;
}): ConformanceActivities {
  const settings = { ...DEFAULT_SETTINGS, ...deps.settings };
  return {
    checkConformance: (check) =>
      withFailures(async () => {
        const rows = await goldenRows(deps.artifacts, check.goldenDigest);
        const { now, gateways } = await deps.routes.gateways();
        const live = gateways.filter(
          ({ status, seenAt }) =>
            status === 'serving' && now - Date.parse(seenAt) <= settings.silentSeconds * 1_000,
        );
        if (live.length === 0)
          throw notConfirmed('No gateway is live, so no golden row can be sent: start one');
        const found = await Promise.all(live.map((gateway) => checkGateway(gateway, rows, check, settings)));
        const worst = found.flat().sort(byDifference);
        refuseSkew(worst, rows.length, check);
        return { gateways: live.length, rows: rows.length, worstDifference: worst[0]?.difference ?? 0 };
      }),
  };
}

async function goldenRows(artifacts: ArtifactStore, digest: string): Promise<readonly GoldenRow[]> {
  const bytes = await artifacts.read(digest, MAX_GOLDEN_BYTES);
  try {
    return readGolden(bytes.toString('utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw refusal(
      FailureType.ArtifactInvalid,
      `Artifact ${digest} does not hold golden rows: ${reason}`,
      error,
    );
  }
}

/** All rows through one gateway, a few at a time. */
async function checkGateway(
  gateway: GatewayRecord,
  rows: readonly GoldenRow[],
  check: Check,
  { concurrency, requestTimeoutMs }: ConformanceSettings,
): Promise<readonly Difference[]> {
  const differences: Difference[] = [];
  const queue = rows.entries();
  // One iterator for all: each takes the next row that nobody has.
  const work = async (): Promise<void> => {
    for (const [row, golden] of queue) {
      heartbeat();
      const served = await serve(gateway, golden, check, requestTimeoutMs);
      differences.push({ gateway: gateway.gateway, row, ...served });
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return differences;
}

async function serve(
  gateway: GatewayRecord,
  golden: GoldenRow,
  { model, version, scoreOutput }: Check,
  timeoutMs: number,
): Promise<Pick<Difference, 'difference' | 'why'>> {
  const path = `/v2/models/${encodeURIComponent(model)}/versions/${encodeURIComponent(version.version)}/infer`;
  const response = await fetch(new URL(path, gateway.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'tenure-purpose': 'conformance' },
    body: JSON.stringify({ inputs: golden.inputs }),
    signal: AbortSignal.any([cancellationSignal(), AbortSignal.timeout(timeoutMs)]),
  });
  const text = await response.text();
  if (response.ok) return compareScores(golden.score, scoreOf(text, scoreOutput));
  const said = `status ${response.status}: ${text.slice(0, 200)}`;
  if (FINAL_STATUS.includes(response.status)) return { difference: Number.POSITIVE_INFINITY, why: said };
  throw new Error(`Gateway ${gateway.gateway} did not answer a golden row for ${version.version}, ${said}`);
}

function scoreOf(text: string, scoreOutput: string): unknown {
  try {
    const { outputs } = JSON.parse(text) as { outputs?: readonly { name?: unknown; data?: unknown }[] };
    return outputs?.find(({ name }) => name === scoreOutput)?.data;
  } catch {
    return undefined;
  }
}

/** Largest first; infinities are equal, where subtracting them would say neither. */
const byDifference = (a: Difference, b: Difference): number =>
  a.difference === b.difference ? 0 : a.difference > b.difference ? -1 : 1;

/** @param worst differences, largest first */
function refuseSkew(worst: readonly Difference[], rows: number, { version, tolerance }: Check): void {
  // Written so that a tolerance or difference that is no number is never within.
  const beyond = worst.filter(({ difference }) => !(difference <= tolerance));
  if (beyond.length === 0) return;
  const named = beyond
    .slice(0, MOST_NAMED)
    .map(({ gateway, row, why }) => `row ${row} on ${gateway}: ${why}`)
    .join('; ');
  throw refusal(
    FailureType.ServingSkew,
    `${version.version} does not give its offline answers: ${beyond.length} of ${worst.length} answers ` +
      `(${rows} rows) differ by more than ${tolerance}. Worst: ${named}`,
  );
}
