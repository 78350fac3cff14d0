import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FailPoint } from '../../src/fail-points/effects.js';
import { failPlanText } from '../../src/fail-points/plan.js';
import { marksIn } from './chaos/troupe.js';
import type { ReleaseStage } from './release-stage.js';

/** A stage's worker that dies at the first of some fail points that it comes to, and is started again to die at those that are left. */
export class MortalWorker {
  readonly #stage: ReleaseStage;
  readonly #points: readonly FailPoint[];
  readonly #marks: string;
  readonly #environment: Readonly<Record<string, string>>;
  #over = false;
  #keeping: Promise<void> = Promise.resolve();

  private constructor(
    stage: ReleaseStage,
    points: readonly FailPoint[],
    environment: Readonly<Record<string, string>>,
    marks: string,
  ) {
    this.#stage = stage;
    this.#points = points;
    this.#environment = environment;
    this.#marks = marks;
  }

  /**
   * Ends the stage's worker, and keeps one that dies in its place. It is the stage's, and its end is `close()`: else workers are
   * started for ever, and the test process does not end.
   */
  static async start(
    stage: ReleaseStage,
    points: readonly FailPoint[],
    environment: Readonly<Record<string, string>> = {},
  ): Promise<MortalWorker> {
    const marks = await mkdtemp(join(tmpdir(), 'tenure-mortal-'));
    const worker = new MortalWorker(stage, points, environment, marks);
    await stage.worker.stop();
    worker.#keeping = worker.#keep();
    return worker;
  }

  /** How often it has died so far. */
  get deaths(): number {
    return marksIn(this.#marks).length;
  }

  /** Where nobody has died yet. */
  get left(): readonly FailPoint[] {
    const done = new Set(marksIn(this.#marks).map(({ point }) => point));
    return this.#points.filter((point) => !done.has(point));
  }

  /** Nothing is kept alive any more. Before the stage is closed. */
  async close(): Promise<void> {
    this.#over = true;
    await this.#stage.worker.stop();
    await this.#keeping;
    await rm(this.#marks, { recursive: true, force: true });
  }

  #live(): Promise<void> {
    const plans = this.left.map((point) => failPlanText({ point, hit: 1, action: 'kill' }));
    return this.#stage.startWorker({
      ...this.#environment,
      TENURE_FAIL_POINT: plans.join(','),
      TENURE_FAIL_FOLDER: this.#marks,
      TENURE_FAIL_POINTS_ALLOWED: plans.length === 0 ? '' : 'this is a test',
    });
  }

  async #keep(): Promise<void> {
    for (;;) {
      await this.#stage.worker.exited;
      if (this.#over) return;
      // It may not even live to say that it is ready.
      await this.#live().catch(() => undefined);
      if (this.#over) await this.#stage.worker.stop();
    }
  }
}
