/** Work that costs nearly the same for one as for several: what comes within a moment, or while some of it is being done, is done together. */
import { setTimeout as sleep } from 'node:timers/promises';

interface Waiting<T, R> {
  readonly item: T;
  readonly resolve: (result: R) => void;
  readonly reject: (reason: unknown) => void;
}

export class Groups<T, R> {
  readonly #act: (items: readonly T[]) => Promise<readonly PromiseSettledResult<R>[]>;
  readonly #most: number;
  readonly #waitMs: number;
  #waiting: Waiting<T, R>[] = [];
  #busy = false;

  /**
   * @param act does several, in their order; that it throws is the answer to all of them
   * @param options `most` at once; `waitMs`: for more of them, milliseconds
   */
  constructor(
    act: (items: readonly T[]) => Promise<readonly PromiseSettledResult<R>[]>,
    { most, waitMs }: { readonly most: number; readonly waitMs: number },
  ) {
    this.#act = act;
    this.#most = most;
    this.#waitMs = waitMs;
  }

  add(item: T): Promise<R> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (!this.#busy) void this.#work();
    });
  }

  async #work(): Promise<void> {
    this.#busy = true;
    while (this.#waiting.length > 0) {
      if (this.#waitMs > 0 && this.#waiting.length < this.#most) await sleep(this.#waitMs);
      const group = this.#waiting.splice(0, this.#most);
      try {
        const results = await this.#act(group.map(({ item }) => item));
        group.forEach(({ resolve, reject }, i) => {
          const result = results[i];
          if (result?.status === 'fulfilled') resolve(result.value);
          else reject(result?.reason ?? new Error('There is no answer to one of a group'));
        });
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.#busy = false;
  }
}
