import type { DesiredRoute, GatewayRecord } from '../../contracts/routes.js';

export interface Confirmation {
  /** Live gateways that have the generation with everything loaded. */
  readonly confirmed: readonly string[];
  /** Live gateways that have not. */
  readonly waiting: readonly string[];
  /** Silent for longer than lease and margin: they send nothing to candidates any more, and are counted out. */
  readonly unreachable: readonly string[];
  /** Live gateways that cannot load what the generation needs. */
  readonly failed: readonly { readonly gateway: string; readonly digest: string; readonly reason: string }[];
}

/** Who lives reports about every second, and so is heard of again within this time. */
const SECOND_LOOK_SECONDS = 3;

/** How long each gateway's last word has stood unchanged before this watcher's eyes. */
export class Watch {
  readonly #words = new Map<string, { readonly word: string; readonly since: number; until: number }>();

  /**
   * @param asked steady milliseconds before the records were asked for
   * @param answered the same, when they were there
   */
  see(gateways: readonly GatewayRecord[], asked: number, answered: number): void {
    for (const { gateway, boot, seenAt } of gateways) {
      const word = `${boot} ${seenAt}`;
      const known = this.#words.get(gateway);
      if (known?.word === word) known.until = asked;
      else this.#words.set(gateway, { word, since: answered, until: answered });
    }
  }

  seconds(gateway: string): number {
    const known = this.#words.get(gateway);
    return known === undefined ? 0 : (known.until - known.since) / 1_000;
  }
}

/**
 * What the gateways' own words say about one generation of a model's table. Pure.
 * @param digests what must be loaded and ready
 * @param now the clock that set `seenAt`, epoch milliseconds
 * @param silentSeconds lease and clock margin
 * @param watchedSeconds for how long the caller has seen a gateway's last word unchanged, by a clock that nobody sets
 */
export function judgeConfirmation(options: {
  readonly model: string;
  readonly generation: number;
  readonly digests: readonly string[];
  readonly gateways: readonly GatewayRecord[];
  readonly now: number;
  readonly silentSeconds: number;
  readonly watchedSeconds: (gateway: string) => number;
}): Confirmation {
  const { model, generation, digests, gateways, now, silentSeconds, watchedSeconds } = options;
  const confirmed: string[] = [];
  const waiting: string[] = [];
  const unreachable: string[] = [];
  const failed: { gateway: string; digest: string; reason: string }[] = [];
  for (const { gateway, status, seenAt, observed } of gateways) {
    if (status !== 'serving') continue;
    const seen = Object.hasOwn(observed, model) ? observed[model] : undefined;
    const watched = watchedSeconds(gateway);
    const silentByStore = now - Date.parse(seenAt) > silentSeconds * 1_000;
    // A store's clock that is set makes everybody look silent, or nobody: so it is not believed alone.
    const isSilent = watched > silentSeconds || (silentByStore && watched >= SECOND_LOOK_SECONDS);
    if (isSilent) unreachable.push(gateway);
    else if (seen === undefined || (seen.wanted ?? seen.generation) < generation) waiting.push(gateway);
    else {
      // A gateway that cannot load what a generation needs stays on the one before, and says so.
      const broken = seen.failed.filter(({ digest }) => digests.includes(digest));
      failed.push(...broken.map(({ digest, reason }) => ({ gateway, digest, reason })));
      const taken = seen.generation >= generation && digests.every((digest) => seen.ready.includes(digest));
      if (broken.length === 0) (taken ? confirmed : waiting).push(gateway);
    }
  }
  return { confirmed, waiting, unreachable, failed };
}

/** Digests of versions that requests can reach: those that must be ready before the change counts as done. */
export function servingDigests(route: DesiredRoute): readonly string[] {
  const { champion, candidate, holdback, shadow } = route;
  const serving = [champion, candidate, holdback, shadow].flatMap((version) => version?.digest ?? []);
  return [...new Set(serving)];
}

/** With the versions kept warm. */
export const allDigests = (route: DesiredRoute): readonly string[] => [
  ...new Set([...servingDigests(route), ...route.warm.map(({ digest }) => digest)]),
];

/** Whether no request can reach any version. */
export const sendsNothing = (route: DesiredRoute): boolean => servingDigests(route).length === 0;
