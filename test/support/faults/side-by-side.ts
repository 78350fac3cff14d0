import { build, type Built } from '../built.js';
import { Play } from './play.js';

/** A scenario gets the compiled processes, and ends everything that it started. */
export type Scenario = (built: Built) => Promise<void>;

/**
 * A test for each of these, but all of them run at the same time: they wait for most of it. For the body of a `describe`.
 */
export function sideBySide(scenarios: Readonly<Record<string, Scenario>>): void {
  const running = new Map<string, Promise<unknown>>();
  let built: Built | undefined;
  before('start all', async () => {
    built = await build();
    for (const [title, run] of Object.entries(scenarios)) {
      // Its own test awaits it: until then a failure is kept.
      running.set(
        title,
        run(built).then(
          () => null,
          (error: unknown) => error,
        ),
      );
    }
  });
  for (const title of Object.keys(scenarios))
    it(title, async () => {
      const failure = await running.get(title);
      if (failure !== null) throw failure;
    });
  after('wait for all', async () => {
    await Promise.all(running.values());
    await Play.leaveAll();
    await built?.remove();
  });
}
