import { Agent, request } from 'node:http';
import { readRows, type RequestRow } from '../rows.js';
import { years, type Year } from '../data.js';

export interface Answered {
  /** Requests answered with 200. */
  readonly answered: number;
  /** Of these, by the champion in place of a candidate that failed. */
  readonly fallbacks: number;
  /** Requests that got no good answer. */
  readonly failed: number;
  readonly byVersion: Readonly<Record<string, number>>;
  /** The first few bad answers, for the story. */
  readonly complaints: readonly string[];
}

/** Which rows are sent, and what is done to them on the way; null: the row is left out. */
export type Feed = (row: RequestRow) => RequestRow | null;

export interface ReplayOptions {
  readonly model?: string;
  readonly concurrency?: number;
  /** At most so many requests a second, as far as the machine gives them. */
  readonly ratePerSecond?: number;
  /** Told of each row that was answered. */
  readonly onAnswer?: (row: RequestRow) => void;
}

async function* rowsFrom(first: Year): ReturnType<typeof readRows> {
  for (const year of years.filter((one) => one >= first)) yield* readRows({ year });
}

/** Sends census rows as live requests, one person a routing key, until it is stopped. */
export class Replay {
  readonly #url: URL;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 16 });
  readonly #concurrency: number;
  readonly #pauseMs: number;
  #stopped = false;
  #rows: ReturnType<typeof readRows> = rowsFrom(2016);
  #running: Promise<unknown> = Promise.resolve();
  #answered = 0;
  #fallbacks = 0;
  #failed = 0;
  #byVersion = new Map<string, number>();
  #complaints: string[] = [];
  readonly #onAnswer: (row: RequestRow) => void;
  /** May be changed at any time. */
  feed: Feed = (row) => row;

  constructor(gateway: string, options: ReplayOptions = {}) {
    this.#url = new URL(`/v2/models/${options.model ?? 'employment'}/infer`, gateway);
    this.#concurrency = options.concurrency ?? 4;
    this.#pauseMs = (1000 * this.#concurrency) / (options.ratePerSecond ?? 400);
    this.#onAnswer = options.onAnswer ?? (() => undefined);
  }

  /** Sends the rows of a year, and then those of the years after it. */
  start(year: Year): this {
    this.#rows = rowsFrom(year);
    this.#stopped = false;
    this.#running = Promise.all(Array.from({ length: this.#concurrency }, () => this.#send()));
    return this;
  }

  /** Goes on with another year. */
  goTo(year: Year): void {
    this.#rows = rowsFrom(year);
  }

  get seen(): Answered {
    return {
      answered: this.#answered,
      fallbacks: this.#fallbacks,
      failed: this.#failed,
      byVersion: Object.fromEntries(this.#byVersion),
      complaints: this.#complaints,
    };
  }

  async stop(): Promise<Answered> {
    this.#stopped = true;
    await this.#running;
    this.#agent.destroy();
    return this.seen;
  }

  async #send(): Promise<void> {
    let rows = this.#rows;
    while (!this.#stopped) {
      const due = Date.now() + this.#pauseMs;
      if (rows !== this.#rows) {
        await rows.return();
        rows = this.#rows;
      }
      const next = await rows.next();
      if (next.done === true) {
        if (rows !== this.#rows) continue;
        this.#complain('there are no more rows to send');
        return;
      }
      const row = this.feed(next.value);
      if (row === null) continue;
      await this.#ask(row).catch((error: unknown) => this.#complain(String(error)));
      const early = due - Date.now();
      if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
    }
    await rows.return();
  }

  #ask(row: RequestRow): Promise<void> {
    const body = JSON.stringify(row.body);
    return new Promise((resolve, reject) => {
      const headers = {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        'tenure-routing-key': row.routingKey,
      };
      const sent = request(
        this.#url,
        { method: 'POST', agent: this.#agent, headers, timeout: 10_000 },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            if (response.statusCode === 200) {
              this.#count(response.headers);
              this.#onAnswer(row);
            } else
              this.#complain(`${response.statusCode}: ${Buffer.concat(chunks).toString().slice(0, 200)}`);
            resolve();
          });
        },
      );
      sent.on('timeout', () => sent.destroy(new Error('no answer in 10 s')));
      sent.on('error', reject);
      sent.end(body);
    });
  }

  #count(headers: Readonly<Record<string, string | string[] | undefined>>): void {
    this.#answered += 1;
    if (headers['tenure-fallback'] === 'true') this.#fallbacks += 1;
    const version = String(headers['tenure-version']);
    this.#byVersion.set(version, (this.#byVersion.get(version) ?? 0) + 1);
  }

  #complain(text: string): void {
    this.#failed += 1;
    if (this.#complaints.length < 5) this.#complaints.push(text);
  }
}
