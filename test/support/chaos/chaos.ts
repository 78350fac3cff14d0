import { setTimeout as sleep } from 'node:timers/promises';
import type { FailPlan } from '../../../src/fail-points/plan.js';
import { build } from '../built.js';
import { violationsOf } from './invariants.js';
import { ABORTED_AT } from './kinds.js';
import { Lane } from './lane.js';
import { deathOf, isServer, killOf, kindOf, type Victim } from './plan.js';
import { type ChaosReport, reportOf } from './report.js';
import { Servers } from './servers.js';
import { Troupe } from './troupe.js';

export interface ChaosOptions {
  /** How many releases, those of the models' first versions among them. */
  readonly releases: number;
  readonly seed: number;
  readonly onProgress?: (line: string) => void;
  /** Gives it up; what was started is ended all the same. */
  readonly signal?: AbortSignal;
}

/** At once, each with users of its own; fewer where each would have less than so many releases. */
const MODELS = 8;
const RELEASES_EACH = 4;
/** Requests a second of each model's users. */
const RATE = 10;
/** Eight run at once, and on a quiet machine a release with all kills takes a minute: beyond this something is stuck. */
const LIMIT_MS = { first: 600_000, each: 60_000 } as const;

/**
 * Releases under load, on servers of its own, while worker, gateways, mongod and Temporal are killed as the seed says.
 * @throws the reason of `signal`; what became of the releases is in the report
 */
export async function runChaos({ releases, seed, onProgress, signal }: ChaosOptions): Promise<ChaosReport> {
  const began = performance.now();
  const say = (line: string): void => onProgress?.(line);
  const play = new AbortController();
  const giveUp = (): void => play.abort(signal?.reason);
  signal?.addEventListener('abort', giveUp, { once: true });
  const limitMs = LIMIT_MS.first + releases * LIMIT_MS.each;
  const limit = setTimeout(() => play.abort(new Error(`It was not over in ${limitMs / 1_000} s`)), limitMs);
  /** From then on nobody is killed any more. */
  const calm = new AbortController();
  const ends: (() => Promise<void>)[] = [];
  try {
    const built = await build();
    ends.unshift(built.remove);
    const servers = await Servers.start();
    ends.unshift(() => servers.end());
    const lane = await Lane.open({
      name: 'random',
      servers,
      built,
      gateways: 2,
      play,
      plans: deaths(seed, calm.signal),
    });
    ends.unshift(() => lane.close());
    const killed: Victim[] = [];
    const killing = killOn({ seed, lane, servers, calm: calm.signal, killed, say }).catch((error: unknown) =>
      lane.giveUp(error),
    );
    ends.unshift(async () => {
      calm.abort();
      await killing;
    });
    const count = Math.min(MODELS, Math.ceil(releases / RELEASES_EACH));
    const models = Array.from({ length: count }, (_, i) => `chaos-${i + 1}`);
    let begun = models.length;
    let ended = 0;
    const troupe = new Troupe(lane, models, {
      rate: RATE,
      abortAt: (n) => ABORTED_AT[n % ABORTED_AT.length]!,
      onEnd: (model, { release, kind, outcome, seconds }) => {
        ended += 1;
        say(
          `${ended}/${releases} ${model}, release ${release}, ${kind}: ${outcome} in ${seconds.toFixed(0)} s`,
        );
      },
    });
    const failure = await troupe
      .play(
        ({ model }, n) => kindOf(seed, model, n),
        () => (begun += 1) > releases,
      )
      .then(() => null, String);
    calm.abort();
    await killing;
    signal?.throwIfAborted();
    if (failure !== null) say(lane.said());
    // What was given up has no facts to be judged by: that it was is the finding.
    const facts = failure === null ? await troupe.facts() : [];
    const violations =
      failure === null
        ? facts.flatMap(violationsOf)
        : [{ model: '-', rule: 'one-end', what: failure } as const];
    const driven = troupe.drivers.flatMap((driver) => driver.driven);
    const marks = await lane.marks();
    const seconds = Math.round((performance.now() - began) / 1_000);
    return reportOf({ seed, seconds, killed, marks, driven, facts, violations });
  } finally {
    clearTimeout(limit);
    signal?.removeEventListener('abort', giveUp);
    for (const end of ends) await end();
  }
}

/** For each life of a process in turn. */
function deaths(seed: number, calm: AbortSignal): (process: string) => readonly FailPlan[] {
  const lives = new Map<string, number>();
  return (process) => {
    const life = (lives.get(process) ?? 0) + 1;
    lives.set(process, life);
    const death = calm.aborted ? null : deathOf(seed, process, life);
    return death === null ? [] : [death];
  };
}

interface Killing {
  readonly seed: number;
  readonly lane: Lane;
  readonly servers: Servers;
  readonly calm: AbortSignal;
  /** Told of each. */
  readonly killed: Victim[];
  readonly say: (line: string) => void;
}

/** What runs again is left alone for so many times as long as that took: where starting is slow, working is too. */
const LIFE = 2;

async function killOn({ seed, lane, servers, calm, killed, say }: Killing): Promise<void> {
  const pause = (ms: number): Promise<void> => sleep(ms, undefined, { signal: calm }).catch(() => undefined);
  const recovered = async (): Promise<number> => {
    const began = performance.now();
    while (!lane.runs && !calm.aborted) await pause(100);
    return performance.now() - began;
  };
  for (let n = 0; ; n += 1) {
    const { meanwhile, afterMs, victim, downMs } = killOf(seed, n);
    const tookMs = meanwhile ? 0 : await recovered();
    await pause(Math.max(afterMs, LIFE * tookMs));
    if (calm.aborted) return;
    if (isServer(victim)) {
      await servers.kill(victim);
      killed.push(victim);
      say(`killed ${victim} for ${downMs} ms`);
      await pause(downMs);
      await servers.revive();
    } else if (lane.process(victim).kill()) {
      killed.push(victim);
      say(`killed ${victim}`);
    }
  }
}
