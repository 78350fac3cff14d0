import { setTimeout as sleep } from 'node:timers/promises';
import type { Life } from './supervised.js';

const CHECK_EVERY_MS = 1_000;

/** One life of a gateway, as a load balancer sees it. */
export interface Target {
  readonly gateway: string;
  readonly url: string;
  readonly life: Life;
}

/** The gateways that say they are ready, as a load balancer's health checks find them. */
export class Pool {
  #targets: readonly Target[] = [];
  #turn = 0;
  readonly #checking: boolean;

  /** @param options `checking`: a gateway that stops answering its health checks is left out until it answers again */
  constructor(options: { readonly checking?: boolean } = {}) {
    this.#checking = options.checking === true;
  }

  /** Adds a life of a gateway once it is ready, until it has died. */
  async watch(gateway: string, life: Life): Promise<void> {
    void life.died.then(() => {
      this.#targets = this.#targets.filter((target) => target.life !== life);
    });
    const url = (await life.ready).replace(/^.*listens on /, '');
    while (life.alive && !(await isReady(url))) await sleep(25);
    const target: Target = { gateway, url, life };
    while (life.alive) {
      const ready = await isReady(url);
      if (!life.alive) return;
      const others = this.#targets.filter((other) => other.life !== life);
      this.#targets = ready ? [...others, target] : others;
      if (!this.#checking) return;
      await sleep(CHECK_EVERY_MS, undefined, { ref: false });
    }
  }

  /** Whether it is left out at the moment. */
  isOut({ life }: Target): boolean {
    return !this.#targets.some((target) => target.life === life);
  }

  get targets(): readonly Target[] {
    return this.#targets;
  }

  /** The next in turn; waits for one. @throws Error after `patienceMs` */
  async next(patienceMs = 120_000): Promise<Target> {
    const until = performance.now() + patienceMs;
    for (;;) {
      this.#turn += 1;
      const target = this.#targets[this.#turn % Math.max(1, this.#targets.length)];
      if (target?.life.alive === true) return target;
      if (performance.now() > until) throw new Error(`No gateway was ready for ${patienceMs} ms`);
      await sleep(20);
    }
  }
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/v2/health/ready`, { signal: AbortSignal.timeout(2_000) })).ok;
  } catch {
    return false;
  }
}
