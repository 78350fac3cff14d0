import type { Difference } from '../../contracts/doctor.js';
import type { ModelView } from '../../contracts/views.js';
import type { ModelState } from '../model-state.js';
import { type DoctorFacts, named } from './facts.js';
import { isAtWork, ownerOf } from './work.js';

const RECOVER = "`tenure doctor --repair` starts the model's workflow with the state that its record gives";

/** The model's workflow against its record. */
export function modelDifferences(facts: DoctorFacts): readonly Difference[] {
  const { parts, recorded } = facts;
  const { model, lifecycle } = parts;
  const of = (
    code: Difference['code'],
    said: Pick<Difference, 'severity' | 'expected' | 'found' | 'advice' | 'remedy'>,
  ): Difference => ({ code, model, subject: '', ...said });
  if (lifecycle.state !== 'open') {
    // Versions and tables without a record belong to nobody who ever was a model here.
    if (recorded.state === null) return [];
    const how = lifecycle.state === 'closed' ? `it is closed (${lifecycle.how})` : 'there is none';
    return [
      of('model-missing', {
        severity: 'critical',
        expected: `workflow model:${model} runs`,
        found: how,
        advice: RECOVER,
        remedy: 'recover',
      }),
    ];
  }
  if (lifecycle.view === null)
    return [
      of('model-silent', {
        severity: 'warning',
        expected: `workflow model:${model} answers`,
        found: 'it does not answer',
        advice:
          'Look at the workflow in the Temporal UI: a failing workflow task waits for a fixed worker, a pending one for any worker',
        remedy: null,
      }),
    ];
  if (recorded.state === null) return [];
  const behind = whatIsMissing(lifecycle.view, recorded.state, recorded.submitted);
  if (behind !== null)
    return [
      of('model-behind', {
        severity: 'critical',
        expected: behind.expected,
        found: behind.found,
        advice: `The workflow is older than its record, as after a restore of Temporal alone. ${RECOVER}`,
        remedy: 'recover',
      }),
    ];
  return champion(facts, lifecycle.view, recorded.state, of);
}

/** The workflow tells the record of everything after it has done it, so it is never behind it for long. */
function whatIsMissing(
  view: ModelView,
  state: ModelState,
  submitted: number,
): { readonly expected: string; readonly found: string } | null {
  if (view.manifestRevision < state.manifestRevision)
    return {
      expected: `manifest revision ${state.manifestRevision}`,
      found: `revision ${view.manifestRevision}`,
    };
  const newest = view.releases[0]?.release ?? 0;
  if (newest < submitted)
    return {
      expected: `release ${submitted} is known to the model`,
      found: `its newest is ${newest}`,
    };
  const { running, last } = view.retraining ?? { running: null, last: null };
  const newestOne = Math.max(running?.retraining ?? 0, last?.retraining ?? 0);
  const recordedOne = (state.retraining?.next ?? 1) - 1;
  // A worker of before there were retrainings says nothing of them.
  if (view.retraining !== undefined && newestOne < recordedOne)
    return {
      expected: `retraining ${recordedOne} is known to the model`,
      found: `its newest is ${newestOne}`,
    };
  if (state.retired && view.health !== 'retired')
    return { expected: 'the model is retired', found: `it is ${view.health}` };
  return null;
}

function champion(
  { parts }: DoctorFacts,
  view: ModelView,
  state: ModelState,
  of: (
    code: Difference['code'],
    said: Pick<Difference, 'severity' | 'expected' | 'found' | 'advice' | 'remedy'>,
  ) => Difference,
): readonly Difference[] {
  if (view.champion?.digest === state.champion?.digest) return [];
  // Who tells the other is under way: a release tells its model, a model the record. A lost release is taken back first.
  if (view.inFlight !== null || ownerOf(parts) !== null || isAtWork(parts)) return [];
  return [
    of('champion-differs', {
      severity: 'critical',
      expected: `${named(state.champion)} serves, by the last outcome on record`,
      found: `the model's workflow has ${named(view.champion)}`,
      advice: RECOVER,
      remedy: 'recover',
    }),
  ];
}
