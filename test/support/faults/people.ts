import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../gateway.js';
import { startReceiver, type TestReceiver } from '../receiver.js';

const FILE = 'alerts.yaml';

interface Told {
  readonly key: string;
  readonly severity: string;
  readonly title: string;
  readonly text: string;
}

/** Whoever is told by a webhook of a worker's alerts: what reaches people while MongoDB cannot keep it. */
export class People {
  readonly #receiver: TestReceiver;
  readonly #folder: string;

  private constructor(receiver: TestReceiver, folder: string) {
    this.#receiver = receiver;
    this.#folder = folder;
  }

  static async open(): Promise<People> {
    const folder = await mkdtemp(join(tmpdir(), 'tenure-people-'));
    const receiver = await startReceiver();
    await writeFile(join(folder, 'secret'), Buffer.from('a secret of this test').toString('base64'));
    await writeFile(
      join(folder, FILE),
      `receivers:\n  - { name: people, kind: webhook, url: ${receiver.url}, secretFile: secret }\n`,
    );
    return new People(receiver, folder);
  }

  /** Of the worker. */
  get env(): Readonly<Record<string, string>> {
    return { TENURE_ALERTS: join(this.#folder, FILE) };
  }

  get told(): readonly Told[] {
    return this.#receiver.received.map(({ body }) => (JSON.parse(body) as { readonly data: Told }).data);
  }

  /** Waits until they are told something whose title and text, joined by a colon, match. */
  async hear(words: RegExp): Promise<Told> {
    return until(
      `people to be told ${words}`,
      () => this.told.find(({ title, text }) => words.test(`${title}: ${text}`)),
      90_000,
    );
  }

  async close(): Promise<void> {
    await this.#receiver.close();
    await rm(this.#folder, { recursive: true });
  }
}
