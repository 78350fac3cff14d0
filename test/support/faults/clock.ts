import { rename, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const PRELOAD = fileURLToPath(new URL('fake-clock.mjs', import.meta.url));

/** Steers the fake clock of one process. */
export class FakeClock {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** Of the process whose clock it is. */
  get env(): Readonly<Record<string, string>> {
    return { NODE_OPTIONS: `--import=${PRELOAD}`, TENURE_TEST_FAKE_CLOCK: this.#file };
  }

  /** Takes effect within a tenth of a second. */
  async set(to: { readonly offsetMs?: number; readonly rate?: number }): Promise<void> {
    await writeFile(`${this.#file}.new`, JSON.stringify(to));
    await rename(`${this.#file}.new`, this.#file);
  }
}
