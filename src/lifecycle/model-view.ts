import type { ModelHealth } from '../contracts/model.js';
import type { UnrecordedView } from '../contracts/ledger.js';
import type { ModelView, ParkedView } from '../contracts/views.js';
import { championBefore } from './champions.js';
import { hasOpen, incidentsOf, promotionHold } from './model-incidents.js';
import { retrainingView } from './retraining-view.js';
import { isFrozen, type ModelState, type PendingAct } from './model-state.js';
import { revalidationDue } from './revalidation.js';

export function modelHealth(state: ModelState, now: number): ModelHealth {
  if (state.retired) return 'retired';
  if (state.alarm !== null || hasOpen(state, 'critical')) return 'alarm';
  if (isFrozen(state, now)) return 'frozen';
  if (state.champion === null) return 'no-champion';
  const first = state.releases.find((summary) => summary.release === state.inFlight);
  const probationary = first?.stage === 'soaking' && championBefore(state, first.release) === null;
  return probationary ? 'probationary' : 'healthy';
}

/** What a running workflow knows beside its state. */
interface Running {
  readonly parked: ParkedView | null;
  readonly unrecorded: UnrecordedView | null;
}

export function modelView(
  state: ModelState,
  now: number,
  { parked, unrecorded }: Running = { parked: null, unrecorded: null },
): ModelView {
  const {
    manifest,
    manifestRevision,
    champion,
    champions,
    warm,
    releases,
    inFlight,
    queue,
    generation,
    head,
  } = state;
  const due = revalidationDue(state);
  return {
    model: manifest.name,
    manifest,
    manifestRevision,
    health: modelHealth(state, now),
    champion,
    champions,
    warm,
    releases,
    inFlight,
    queue,
    freeze: isFrozen(state, now) ? state.freeze : null,
    generation,
    head,
    waitingFor: waitingFor(state),
    acts: state.pending.map(describeAct),
    parked,
    unrecorded,
    incidents: incidentsOf(state).open,
    heldBack: incidentsOf(state).heldBack,
    hold: promotionHold(state, now),
    revalidationDue: due === null ? null : new Date(due).toISOString(),
    retraining: retrainingView(state, now),
  };
}

function waitingFor(state: ModelState): string {
  const act = state.pending[0];
  if (act !== undefined) return describeAct(act);
  if (state.retired) return 'retired';
  if (state.inFlight !== null) return `release ${state.inFlight} is in flight`;
  return state.champion === null ? 'the first release' : 'the next release';
}

function describeAct(act: PendingAct): string {
  switch (act.kind) {
    case 'restore':
      return `restoring the champion after release ${act.release}`;
    case 'roll-back':
      return `rolling back to ${act.to.version}`;
    case 'retire':
      return 'retiring';
    case 'realign':
      return 'setting the routing table again';
  }
}
