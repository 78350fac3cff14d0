import { patched } from '@temporalio/workflow';
import type { Trouble } from '../../contracts/incidents.js';
import { cleared, incidentsOf, monitoringOf, raise } from '../../lifecycle/model-incidents.js';
import type { ModelState } from '../../lifecycle/model-state.js';
import type { Troubles } from '../support/parking.js';

interface Holder {
  state: ModelState;
  update(state: ModelState): void;
}

const causeOf = (origin: Trouble['origin'], release: number | null, what: string): string =>
  `${origin}/${release === null ? '' : `release-${release}/`}${what}`.slice(0, 300);

/** What a model's own acts fail at becomes an incident, where its manifest has monitoring. */
export const modelTroubles = (holder: Holder): Troubles => ({
  begin: ({ origin, what, severity, title, text }) => {
    if (monitoringOf(holder.state) === null || !patched('troubles-are-incidents')) return false;
    receiveTrouble(holder, {
      release: null,
      origin,
      cause: causeOf(origin, null, what),
      severity,
      title,
      text,
      at: new Date().toISOString(),
      over: false,
    });
    return true;
  },
  end: (origin, what) => over(holder, causeOf(origin, null, what)),
});

/** From the model's own acts, or from its release in flight. */
export function receiveTrouble(holder: Holder, trouble: Trouble): void {
  const { over: isOver, cause, at, release, origin, severity, title, text } = trouble;
  if (isOver) return over(holder, cause);
  const happening = {
    origin,
    cause,
    severity,
    title: title.slice(0, 200),
    text,
    findings: [],
    release,
    onset: null,
    detectedAt: at,
    holds: false,
  };
  const raised = raise(holder.state, happening, Date.now());
  if (raised !== null) holder.update(raised.state);
}

function over(holder: Holder, cause: string): void {
  if (!incidentsOf(holder.state).open.some((open) => open.cause === cause && open.standing === 'open'))
    return;
  const clearance = { windows: null, reason: 'it was done', at: new Date().toISOString() };
  holder.update(cleared(holder.state, (open) => open.cause === cause, clearance));
}
