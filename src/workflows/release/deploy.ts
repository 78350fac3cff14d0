import { canaryHistory } from '../../lifecycle/canary-plan.js';
import { deployedRoute } from '../../lifecycle/routing.js';
import { slowThresholdMs } from '../../statistics/canary/index.js';
import { run } from '../support/run.js';
import type { ReleaseContext } from './context.js';

/** How far back the champion's own figures are taken from. */
const LOOK_BACK_SECONDS = 7 * 24 * 3600;

/** Loads the candidate beside the champion, sees it ready, and compares its served answers with its offline ones. */
export async function deploy(context: ReleaseContext): Promise<void> {
  const { state } = context;
  const { input } = state;
  const { version, digest } = input.version;
  context.waitFor(`${version} to be loaded by every gateway`);
  await context.changeTraffic({
    step: 'deploy',
    summary: `load ${version} beside the champion`,
    desired: deployedRoute(context.basis, input.version),
    action: 'release.deployed',
  });
  const goldenDigest = state.validation?.goldenDigest ?? null;
  if (goldenDigest !== null) {
    const { score } = input.manifest.prediction;
    const conformance = await context.parking.untilDone(
      `check that ${version} answers as it did offline`,
      () =>
        run('checkConformance', `golden rows through every gateway`, {
          model: input.model,
          version: { version, digest },
          goldenDigest,
          scoreOutput: score,
          tolerance: input.manifest.validation.goldenTolerance,
        }),
    );
    context.recorder.add(
      context.entry(context.id('conformance'), 'release.conformed', { conformance, goldenDigest }),
    );
  }
  if (input.champion !== null) await readChampion(context);
  state.deployed = true;
}

/** The champion's own figures: they fix the slow threshold before any candidate traffic, and tune the judge. */
async function readChampion(context: ReleaseContext): Promise<void> {
  const { state } = context;
  const { input } = state;
  const { champion, manifest } = input;
  if (champion === null) return;
  const slow = manifest.canary.guardrails.find((guardrail) => guardrail.kind === 'slow');
  const baseline = await context.parking.untilDone('read the figures of the champion', () =>
    run('readBaseline', `figures of ${champion.version}`, {
      model: input.model,
      champion,
      probes: deployedRoute(context.basis, input.version).guardrails,
      quantiles: slow?.kind === 'slow' ? [slow.quantile] : [],
      lookBackSeconds: LOOK_BACK_SECONDS,
      at: Date.now(),
    }),
  );
  state.history = canaryHistory(manifest, baseline);
  if (slow?.kind === 'slow') {
    // Without figures of the champion its own speed is unknown; the service objective is then what slow means.
    const measured = slowThresholdMs(baseline.latencyMs[String(slow.quantile)] ?? null, slow);
    state.slowThresholdMs = measured ?? Math.max(slow.floorMs, manifest.objectives.latencyMs);
  }
  const evidence = {
    baseline,
    slowThresholdMs: state.slowThresholdMs,
    usedAsHistory: state.history !== null,
  };
  context.recorder.addLazily(context.entry(context.id('baseline'), 'release.champion-measured', evidence));
}
