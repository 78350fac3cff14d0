import type { GatewayHealth } from '../../../src/gateway/server.js';
import type { Lane } from '../chaos/lane.js';
import { until } from '../gateway.js';

/** What the lane's n-th gateway says of itself. */
export async function healthOf(lane: Lane, n = 1): Promise<GatewayHealth> {
  const target = lane.pool.targets.find(({ gateway }) => gateway === `gateway-${n}`);
  if (target === undefined) throw new Error(`gateway-${n} is not among those that are asked`);
  const response = await fetch(`${target.url}/tenure/health`, { signal: AbortSignal.timeout(10_000) });
  return (await response.json()) as GatewayHealth;
}

/** Waits until a gateway's health is so. */
export const healthIs = (
  lane: Lane,
  what: string,
  is: (health: GatewayHealth) => boolean,
): Promise<GatewayHealth> =>
  until(
    `the health of the gateway to show ${what}`,
    async () => {
      const health = await healthOf(lane).catch(() => null);
      return health !== null && is(health) && health;
    },
    60_000,
  );

/** Versions that answered users from now on, for so long. */
export async function answeredWithin(
  byVersion: () => Readonly<Record<string, { readonly count: number }>>,
  seconds: number,
): Promise<readonly string[]> {
  const counts = (): Record<string, number> =>
    Object.fromEntries(Object.entries(byVersion()).map(([version, { count }]) => [version, count]));
  const before = counts();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
  return Object.entries(counts())
    .filter(([version, count]) => count > (before[version] ?? 0))
    .map(([version]) => version)
    .sort();
}
