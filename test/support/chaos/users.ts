import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AnswerFacts } from './invariants.js';
import type { Pool, Target } from './pool.js';

interface Answer {
  readonly status: number;
  readonly version: string;
  readonly text: string;
}

export interface UsersOptions {
  /** Requests a second. */
  readonly rate: number;
  /** Input of the n-th request. */
  readonly code: (n: number) => number;
}

const WORKERS = 2;
const TIMEOUT_MS = 15_000;
/** A connection breaks before the death of its process is heard of. */
const HEARD_OF_MS = 2_000;
const MOST_LOST = 20;

/**
 * The users of one model, behind a load balancer: a request whose gateway died before it answered is tried again with another,
 * or the same one when it is back. Whatever else is not answered with 200 is lost: from a living gateway no other answer is good
 * enough, and a bad answer stays one if the gateway dies right after it.
 */
export class Users {
  readonly #pool: Pool;
  readonly #model: string;
  readonly #options: UsersOptions;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 8 });
  readonly #running: Promise<unknown>;
  #stopped = false;
  #asked = 0;
  #answered = 0;
  #tries = 0;
  #lastAnswerAt = performance.now();
  #longestGapMs = 0;
  readonly #lost: string[] = [];
  readonly #byVersion: Record<string, { count: number; lastSentAt: number }> = {};

  constructor(pool: Pool, model: string, options: UsersOptions) {
    this.#pool = pool;
    this.#model = model;
    this.#options = options;
    this.#running = Promise.all(Array.from({ length: WORKERS }, () => this.#work()));
  }

  get facts(): AnswerFacts {
    return {
      asked: this.#asked,
      answered: this.#answered,
      tries: this.#tries,
      lost: [...this.#lost],
      longestGapMs: Math.round(this.#longestGapMs),
      byVersion: { ...this.#byVersion },
    };
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
    this.#agent.destroy();
  }

  async #work(): Promise<void> {
    const pause = (1_000 * WORKERS) / this.#options.rate;
    while (!this.#stopped) {
      const due = performance.now() + pause;
      this.#asked += 1;
      await this.#ask(this.#asked);
      await sleep(Math.max(1, due - performance.now()));
    }
  }

  async #ask(n: number): Promise<void> {
    for (;;) {
      const target = await this.#pool.next().catch((error: unknown) => this.#lose(String(error)));
      if (target === undefined) return;
      const sentAt = Date.now();
      this.#tries += 1;
      const answer = await this.#send(target, n).catch((error: unknown) => String(error));
      if (typeof answer !== 'string' && answer.status === 200) {
        this.#answered += 1;
        const count = (this.#byVersion[answer.version]?.count ?? 0) + 1;
        this.#byVersion[answer.version] = { count, lastSentAt: sentAt };
        const now = performance.now();
        this.#longestGapMs = Math.max(this.#longestGapMs, now - this.#lastAnswerAt);
        this.#lastAnswerAt = now;
        return;
      }
      if (typeof answer === 'string' && (this.#pool.isOut(target) || (await diesSoon(target)))) continue;
      const said = typeof answer === 'string' ? answer : `${answer.status} ${answer.text.slice(0, 200)}`;
      this.#lose(`${target.gateway} at ${new Date(sentAt).toISOString()}: ${said}`);
      return;
    }
  }

  #lose(what: string): undefined {
    if (this.#lost.length < MOST_LOST) this.#lost.push(what);
  }

  #send({ url }: Target, n: number): Promise<Answer> {
    const data = [this.#options.code(n)];
    const body = JSON.stringify({ inputs: [{ name: 'x', shape: [1, 1], datatype: 'FP32', data }] });
    return new Promise((resolve, reject) => {
      const sent = request(
        new URL(`/v2/models/${this.#model}/infer`, url),
        {
          method: 'POST',
          agent: this.#agent,
          timeout: TIMEOUT_MS,
          headers: {
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(body),
            'tenure-routing-key': `user-${n}`,
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              version: String(response.headers['tenure-version']),
              text: Buffer.concat(chunks).toString(),
            }),
          );
        },
      );
      sent.on('timeout', () => sent.destroy(new Error(`no answer in ${TIMEOUT_MS} ms`)));
      sent.on('error', reject);
      sent.end(body);
    });
  }
}

const diesSoon = ({ life }: Target): Promise<boolean> =>
  Promise.race([life.died.then(() => true), sleep(HEARD_OF_MS, false)]);
