/** What a release acts on, as a small HTTP service: it does nothing, and counts who asked for what and how often. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

const CHANGE = ['record-intent', 'set-table', 'read-gateways', 'record-outcome'] as const;
const RECORD = ['record'] as const;

/** The activities of a light release of Tenure in their order, and the calls that each makes to MongoDB or a gateway. */
export const STEPS: readonly (readonly string[])[] = [
  ['validate'],
  RECORD,
  CHANGE,
  ['golden', 'golden', 'golden', 'golden', 'golden'],
  ['baseline'],
  RECORD,
  RECORD,
  CHANGE,
  ['look'],
  RECORD,
  CHANGE,
  ['look'],
  RECORD,
  CHANGE,
];

export const CALLS = STEPS.reduce((sum, calls) => sum + calls.length, 0);

export class Infrastructure {
  readonly #server: Server;
  readonly #calls = new Map<string, number>();
  #cutAt = Number.POSITIVE_INFINITY;
  #onCut: () => void = () => undefined;
  #total = 0;

  private constructor() {
    this.#server = createServer((request, response) => {
      const path = request.url ?? '';
      response.setHeader('content-type', 'application/json');
      if (path === '/steps') {
        response.end(JSON.stringify(STEPS));
        return;
      }
      request.resume();
      this.#total += 1;
      this.#calls.set(path, (this.#calls.get(path) ?? 0) + 1);
      // Done, and not yet answered: the moment at which a process dies worst.
      if (this.#total === this.#cutAt) this.#onCut();
      else response.end(JSON.stringify({ said: path }));
    });
  }

  static async start(): Promise<Infrastructure> {
    const service = new Infrastructure();
    await new Promise<void>((resolve) => service.#server.listen(0, '127.0.0.1', resolve));
    return service;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Different acts that were asked for, and askings in all. */
  get seen(): { readonly acts: number; readonly askings: number } {
    return { acts: this.#calls.size, askings: this.#total };
  }

  /** Steps, of all that were begun, that were begun again. */
  get stepsBegunAgain(): number {
    return [...this.#calls].filter(([path, times]) => path.split('/')[3] === '0' && times > 1).length;
  }

  /** Resolves when the n-th call from now on has been done; it gets no answer. */
  cutAt(calls: number): Promise<void> {
    this.#cutAt = this.#total + calls;
    return new Promise((resolve) => {
      this.#onCut = resolve;
    });
  }

  reset(): void {
    this.#calls.clear();
    this.#total = 0;
    this.#cutAt = Number.POSITIVE_INFINITY;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
