import { setTimeout as sleep } from 'node:timers/promises';
import type { RequestRow } from '../rows.js';

const BATCH = 500;

/** The truth about answered requests, told to the gateway some time after them, as production learns it. */
export class Labels {
  readonly #url: URL;
  readonly #lateMs: number;
  readonly #waiting: { readonly id: string; readonly label: number; readonly due: number }[] = [];
  #stopped = false;
  #accepted = 0;
  #problem: string | null = null;
  #running: Promise<void> = Promise.resolve();

  /** @param lateSeconds how long after its request a label comes */
  constructor(gateway: string, model: string, lateSeconds: number) {
    this.#url = new URL(`/v2/models/${model}/feedback`, gateway);
    this.#lateMs = lateSeconds * 1000;
  }

  /** Labels that the gateway took. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Why labels were not taken, the first time; null: they all were. */
  get problem(): string | null {
    return this.#problem;
  }

  /** A request was answered. */
  learn({ body, label }: RequestRow): void {
    this.#waiting.push({ id: body.id, label, due: Date.now() + this.#lateMs });
  }

  start(): this {
    this.#running = this.#work();
    return this;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #work(): Promise<void> {
    while (!this.#stopped) {
      const due = this.#waiting.findIndex((one) => one.due > Date.now());
      const count = Math.min(BATCH, due < 0 ? this.#waiting.length : due);
      if (count > 0) await this.#tell(count);
      else await sleep(200);
    }
  }

  async #tell(count: number): Promise<void> {
    const labels = this.#waiting.slice(0, count).map(({ id, label }) => ({ id, label }));
    try {
      const response = await fetch(this.#url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ labels }),
      });
      if (!response.ok) throw new Error(`${response.status}: ${(await response.text()).slice(0, 200)}`);
      const { accepted } = (await response.json()) as { readonly accepted: number };
      this.#accepted += accepted;
      this.#waiting.splice(0, count);
    } catch (error) {
      // They are told again; the same label twice is one.
      this.#problem ??= error instanceof Error ? error.message : String(error);
      await sleep(1_000);
    }
  }
}
