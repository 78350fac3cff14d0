import type { WorkflowHandle } from '@temporalio/client';
import { FLEET_STREAM } from '../contracts/ledger.js';
import { incidentOfWorkflow, incidentWorkflowId } from '../contracts/ids.js';
import type { IncidentAct, IncidentPhase, IncidentView, OpenIncident } from '../contracts/incidents.js';
import { actOnIncident, incidentState, type Request } from '../contracts/messages.js';
import { TenureHealth, TenureModel, TenureOwner, TenureStage } from '../contracts/search-attributes.js';
import { explain, TenureError } from './errors.js';
import { Link } from './link.js';

/** A row of the list of incidents, from Temporal's visibility store: may lag behind by a second or two. */
export interface IncidentRow {
  readonly model: string;
  readonly incident: number;
  readonly phase: string;
  readonly severity: string;
  readonly title: string;
  readonly owner: string;
  /** ISO 8601. */
  readonly openedAt: string;
}

/** What a model has open, with the phase that it is in itself; absent where the visibility store does not know. */
export type PhasedIncident = OpenIncident & { readonly phase?: string };

/** What an incident's workflow says of itself, or said last before it was terminated. */
export interface IncidentSight extends IncidentView {
  readonly endedByHand?: true;
}

/** It ends by itself in no other way than when it is over. */
const isByHand = (status: string): boolean => ['TERMINATED', 'FAILED', 'TIMED_OUT'].includes(status);

/** Beyond so many the rest is left out: they are the newest. */
const MOST_ROWS = 1_000;

/** Incidents, through Temporal. */
export class Incidents extends Link {
  /**
   * Newest first, at most a thousand.
   * @param options.all those that are over too, as far as the server keeps them
   */
  async listIncidents(
    options: { readonly model?: string; readonly all?: boolean } = {},
  ): Promise<readonly IncidentRow[]> {
    const { model, all = false } = options;
    const rows: IncidentRow[] = [];
    const query = [
      `WorkflowType = 'incident'`,
      ...(all ? [] : [`ExecutionStatus = 'Running'`]),
      ...(model === undefined ? [] : [`${TenureModel.name} = '${quoted(model)}'`]),
    ].join(' AND ');
    try {
      for await (const found of this.client.workflow.list({ query })) {
        const known = incidentOfWorkflow(found.workflowId);
        // A run that continued as new is in the list beside the one that goes on.
        if (known === null || found.status.name === 'CONTINUED_AS_NEW') continue;
        // Models have names of their own in a namespace; of each installation in it there is a fleet.
        if (known.model === FLEET_STREAM && found.taskQueue !== this.options.taskQueue) continue;
        const { typedSearchAttributes: shown, memo, startTime } = found;
        rows.push({
          ...known,
          // What was terminated could not say so.
          phase: isByHand(found.status.name) ? 'ended by hand' : (shown.get(TenureStage) ?? 'unknown'),
          severity: shown.get(TenureHealth) ?? 'unknown',
          title: typeof memo?.['title'] === 'string' ? memo['title'] : '',
          owner: shown.get(TenureOwner) ?? 'unknown',
          openedAt: typeof memo?.['openedAt'] === 'string' ? memo['openedAt'] : startTime.toISOString(),
        });
        if (rows.length === MOST_ROWS) break;
      }
    } catch (error) {
      throw explain(error, 'the list of incidents is not there');
    }
    return rows.sort((a, b) => (a.openedAt < b.openedAt ? 1 : -1));
  }

  /** From the visibility store, as the list: the model itself does not hear of an acknowledgement. */
  async withPhases(model: string, open: readonly OpenIncident[]): Promise<readonly PhasedIncident[]> {
    if (open.length === 0) return open;
    const rows = await this.listIncidents({ model }).catch(() => []);
    const phases = new Map(rows.map(({ incident, phase }) => [incident, phase]));
    return open.map((one) => {
      const phase = phases.get(one.incident);
      return phase === undefined ? one : { ...one, phase };
    });
  }

  /** Also of an incident that is over, as long as the server keeps it. @throws TenureError `not-found` */
  incident(model: string, incident: number): Promise<IncidentSight> {
    return this.#on(model, incident, async (handle) => {
      const [view, { status }] = await Promise.all([handle.query(incidentState), handle.describe()]);
      return isByHand(status.name) ? { ...view, endedByHand: true } : view;
    });
  }

  /** @throws TenureError `refused` with the reason, which is also on the record */
  async actOnIncident(
    model: string,
    incident: number,
    act: IncidentAct,
    options: Partial<Request> & { readonly reason: string },
  ): Promise<{ readonly phase: IncidentPhase }> {
    const sent = { ...this.request(options), act, reason: options.reason };
    const answer = await this.#on(model, incident, (handle) =>
      handle.executeUpdate(actOnIncident, { args: [sent], updateId: sent.requestId }),
    );
    if (!answer.accepted) throw new TenureError('refused', answer.reason);
    return { phase: answer.phase };
  }

  #on<T>(model: string, incident: number, call: (handle: WorkflowHandle) => Promise<T>): Promise<T> {
    const name = `incident ${incident} of ${model}`;
    const see = `\`tenure incident list ${model} --all\` and \`tenure history ${model}\``;
    return this.about(incidentWorkflowId(model, incident), { name, see }, call);
  }
}

const quoted = (text: string): string => text.replaceAll("'", "''");
