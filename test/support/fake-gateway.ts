import type { GatewayRecord, ObservedRoute } from '../../src/contracts/routes.js';
import { allDigests } from '../../src/activities/traffic/confirmation.js';
import type { RoutingStore } from '../../src/platform/serving/index.js';

/** Says what a gateway would say, or what a broken one would: real ones neither lie nor go silent on demand. */
export class FakeGateway {
  readonly #routes: RoutingStore;
  readonly #name: string;
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<void> = Promise.resolve();
  /** Digests that it says it cannot load. */
  broken: readonly string[] = [];
  /** Reports this generation, whatever the table says. */
  stuckAt: number | null = null;
  /** Phases of the tables that it saw, in order. */
  readonly phases: string[] = [];

  constructor(routes: RoutingStore, name: string) {
    this.#routes = routes;
    this.#name = name;
  }

  /** Known to the store when this returns. */
  async start(): Promise<this> {
    await this.report();
    this.#timer = setInterval(() => {
      this.#turn = this.#turn.then(() => this.report());
    }, 20);
    return this;
  }

  /** Goes silent without goodbye. */
  async vanish(): Promise<void> {
    clearInterval(this.#timer);
    await this.#turn;
  }

  async report(status: GatewayRecord['status'] = 'serving'): Promise<void> {
    const observed: Record<string, ObservedRoute> = {};
    for (const table of await this.#routes.readAll()) {
      if (this.phases.at(-1) !== table.phase) this.phases.push(table.phase);
      observed[table.model] = {
        generation: this.stuckAt ?? table.generation,
        ready: allDigests(table).filter((digest) => !this.broken.includes(digest)),
        failed: this.broken.map((digest) => ({ digest, reason: 'not a model' })),
        trips: [],
      };
    }
    await this.#routes.report({
      gateway: this.#name,
      boot: 'boot-1',
      url: 'http://127.0.0.1:9',
      startedAt: '2026-01-31T12:00:00.000Z',
      status,
      observed,
    });
  }
}
