import type { ReleaseContext } from './context.js';
import { Ending } from './ending.js';
import { run } from '../support/run.js';

/** Runs the gates. All run, all are reported; one that did not pass ends the release as rejected. */
export async function validate(context: ReleaseContext): Promise<void> {
  const { state } = context;
  const { input } = state;
  context.waitFor('the validation gates');
  const report = await context.parking.untilDone(`validate ${input.version.version}`, () =>
    run('validateVersion', `validate ${input.version.version}`, {
      manifest: input.manifest,
      version: input.version,
      champion: input.champion,
      release: input.release,
      at: new Date().toISOString(),
    }),
  );
  state.validation = report;
  context.recorder.add(context.entry(context.id('validate'), 'release.validated', { report }));
  if (report.passed) return;
  const failed = report.gates.filter((gate) => !gate.passed).map((gate) => gate.gate);
  throw new Ending('rejected', `gates not passed: ${failed.join(', ')}`);
}
