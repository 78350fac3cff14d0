import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** What users of a model have got so far. */
export interface Seen {
  readonly sent: number;
  /** Status -> answers. */
  readonly byStatus: Readonly<Record<string, number>>;
  /** Version -> answers with 200. */
  readonly byVersion: Readonly<Record<string, number>>;
  /** Of the answers with 200, those given by the champion for a candidate that had failed. */
  readonly fallbacks: number;
  /** Requests without an answer: the connection was refused or cut. */
  readonly cut: number;
  /** The first bad answer in words. */
  readonly complaint: string | null;
}

export interface TrafficOptions {
  /** Requests a second at each gateway, at most. */
  readonly rate?: number;
  /** Code of the n-th request; the tiny models' one input. */
  readonly code?: (n: number) => number;
}

const WORKERS = 2;

/** Users of one model: each request has a routing key of its own, gateways get equal parts. */
export class Traffic {
  readonly model: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 16 });
  readonly #options: Required<TrafficOptions>;
  readonly #running: Promise<void>[] = [];
  #stopped = false;
  #paused = false;
  #sent = 0;
  #cut = 0;
  #fallbacks = 0;
  #complaint: string | null = null;
  #byStatus: Record<string, number> = {};
  #byVersion: Record<string, number> = {};

  constructor(model: string, urls: readonly string[], options: TrafficOptions = {}) {
    this.model = model;
    this.#options = { rate: 100, code: (n) => n % 10, ...options };
    for (const url of urls) this.add(url);
  }

  /** Sends to one more gateway. */
  add(url: string): void {
    const target = new URL(`/v2/models/${this.model}/infer`, url);
    for (let i = 0; i < WORKERS; i += 1) this.#running.push(this.#send(target));
  }

  get seen(): Seen {
    return {
      sent: this.#sent,
      byStatus: { ...this.#byStatus },
      byVersion: { ...this.#byVersion },
      fallbacks: this.#fallbacks,
      cut: this.#cut,
      complaint: this.#complaint,
    };
  }

  /** Users wait: what nobody looks at costs the others time. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
  }

  /** What is seen from now on: counts start anew. */
  reset(): void {
    this.#sent = 0;
    this.#cut = 0;
    this.#fallbacks = 0;
    this.#complaint = null;
    this.#byStatus = {};
    this.#byVersion = {};
  }

  async stop(): Promise<Seen> {
    this.#stopped = true;
    await Promise.all(this.#running);
    this.#agent.destroy();
    return this.seen;
  }

  async #send(target: URL): Promise<void> {
    const pause = (1_000 * WORKERS) / this.#options.rate;
    while (!this.#stopped) {
      if (this.#paused) {
        await sleep(20);
        continue;
      }
      const due = performance.now() + pause;
      const n = this.#sent;
      this.#sent += 1;
      await this.#ask(target, n).catch((error: unknown) => {
        this.#cut += 1;
        this.#complaint ??= String(error);
      });
      await sleep(Math.max(1, due - performance.now()));
    }
  }

  #ask(target: URL, n: number): Promise<void> {
    const input = { name: 'x', shape: [1, 1], datatype: 'FP32', data: [this.#options.code(n)] };
    const body = JSON.stringify({ inputs: [input] });
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      // Names of people who come back are of no use here: new keys bring a canary on.
      'tenure-routing-key': `${target.port}-${n}`,
    };
    return new Promise((resolve, reject) => {
      const options = { method: 'POST', agent: this.#agent, headers, timeout: 10_000 };
      const sent = request(target, options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          this.#note(response.statusCode ?? 0, response.headers, chunks);
          resolve();
        });
      });
      sent.on('timeout', () => sent.destroy(new Error('no answer in 10 s')));
      sent.on('error', reject);
      sent.end(body);
    });
  }

  #note(
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
    chunks: readonly Buffer[],
  ): void {
    add(this.#byStatus, String(status));
    if (status !== 200) {
      this.#complaint ??= `${status}: ${Buffer.concat(chunks).toString().slice(0, 200)}`;
      return;
    }
    add(this.#byVersion, String(headers['tenure-version']));
    if (headers['tenure-fallback'] === 'true') this.#fallbacks += 1;
  }
}

const add = (counts: Record<string, number>, name: string): void => {
  counts[name] = (counts[name] ?? 0) + 1;
};

/** Every request so far got a good answer. */
export function allAnswered(traffic: Traffic): Seen {
  const { seen } = traffic;
  assert.deepEqual(
    [Object.keys(seen.byStatus), seen.cut],
    [['200'], 0],
    `${traffic.model}: ${seen.complaint}`,
  );
  return seen;
}
