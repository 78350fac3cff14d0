import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ProcessPlatform,
  type NotTrained,
  type Trained,
  type TrainingOrder,
  type TrainingProgress,
} from '../../src/platform/training/index.js';
import { manifest } from './manifests.js';
import { digestOf } from './onnx.js';
import { createRandom } from './random.js';

/** Pids of everything that bears the mark of a run. */
export const alive = (run: string): readonly number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`TENURE_TRAINING_ATTEMPT=${run}/`);
      } catch {
        return false;
      }
    })
    .map(Number);

/** A training platform on a folder of its own, and trainers written into it. */
export class TrainingSite {
  readonly folder: string;
  readonly platform: ProcessPlatform;
  #scripts = 0;

  private constructor(folder: string) {
    this.folder = folder;
    this.platform = this.another();
  }

  static async open(): Promise<TrainingSite> {
    return new TrainingSite(await mkdtemp(join(tmpdir(), 'tenure-training-')));
  }

  /** As another worker on the same machine has it. */
  another(): ProcessPlatform {
    return new ProcessPlatform({
      folder: join(this.folder, 'runs'),
      path: process.env['PATH'] ?? '',
      graceMs: 300,
      lookMs: 50,
    });
  }

  close(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }

  /** A trainer written in JavaScript, with `request` in its hands. @returns its command */
  async trainer(body: string): Promise<readonly string[]> {
    this.#scripts += 1;
    const file = join(this.folder, `trainer-${this.#scripts}.mjs`);
    const head = `import fs from 'node:fs'; import { spawn } from 'node:child_process';
      const request = JSON.parse(fs.readFileSync(process.env.TENURE_TRAINING_REQUEST, 'utf8'));
      const sleep = (ms) => new Promise((done) => setTimeout(done, ms));\n`;
    await writeFile(file, head + body);
    return [process.execPath, file];
  }

  /** 300 rows with one input `x`; the label is likelier 1 where x is large. */
  async order(command: readonly string[], overrides: Partial<TrainingOrder> = {}): Promise<TrainingOrder> {
    const random = createRandom(7);
    const rows = Array.from({ length: 300 }, () => {
      const x = Math.fround(random.uniform() * 4 - 2);
      return `${x},${random.uniform() < 1 / (1 + Math.exp(-2 * x)) ? 1 : 0}`;
    });
    const content = ['x,employed', ...rows, ''].join('\n');
    const file = join(this.folder, 'rows.csv');
    await writeFile(file, content);
    return {
      run: `retraining:employment:${this.#scripts}`,
      manifest: manifest(),
      data: { file, digest: digestOf(Buffer.from(content)), rows: rows.length },
      champion: null,
      command,
      timeoutSeconds: 30,
      memoryMb: 512,
      ...overrides,
    };
  }

  async train(
    order: TrainingOrder,
    options: { readonly signal?: AbortSignal; readonly onProgress?: (seen: TrainingProgress) => void } = {},
  ): Promise<Trained | NotTrained> {
    const { signal = new AbortController().signal, onProgress = () => undefined } = options;
    return this.platform.train(order, { signal, onProgress });
  }
}
