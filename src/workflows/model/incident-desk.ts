import {
  ChildWorkflowCancellationType,
  condition,
  getExternalWorkflowHandle,
  isCancellation,
  log,
  ParentClosePolicy,
  patched,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { incidentWorkflowId } from '../../contracts/ids.js';
import type { OpenIncident } from '../../contracts/incidents.js';
import {
  incidentCleared,
  incidentMitigated,
  incidentRepeated,
  retryParked,
} from '../../contracts/messages.js';
import { incidentStart } from '../../contracts/starting.js';
import type { IncidentTask } from '../../lifecycle/incidents-state.js';
import { askAfter, forget, incidentsOf, taskDone } from '../../lifecycle/model-incidents.js';
import type { ModelState } from '../../lifecycle/model-state.js';
import { incident } from '../incident.js';
import { describeFailure } from '../support/failures.js';

/** Versions of the code from before it neither ask after incidents nor record that one is lost. */
const LOST = 'lost-incidents-are-let-go';

/** What the desk works with: the model's own context. */
export interface IncidentHolder {
  state: ModelState;
  update(state: ModelState): void;
  /** The workflow of an incident that should be there was ended by hand. */
  lost(incident: OpenIncident): Promise<void>;
}

/**
 * Starts a model's incidents and tells them what happens, one after the other, beside the main loop: an act that is tried without end
 * keeps no incident from being opened. What is to be done is in the state, so a later run takes it up.
 */
export class IncidentDesk {
  readonly #holder: IncidentHolder;
  #busy = false;

  constructor(holder: IncidentHolder) {
    this.#holder = holder;
  }

  /** Nothing is under way that could be lost between two runs. */
  get settled(): boolean {
    return !this.#busy;
  }

  /** Ends with its run of the workflow. @param isResting no more is taken up: what is left is for the next run */
  async work(isResting: () => boolean): Promise<never> {
    for (;;) {
      await condition(() => this.#next !== undefined && !isResting());
      const task = this.#next;
      if (task === undefined) continue;
      this.#busy = true;
      try {
        const isThere = await this.#do(task);
        const done = taskDone(this.#holder.state);
        const known = incidentsOf(done).open.find(({ incident }) => incident === task.incident);
        this.#holder.update(isThere ? done : forget(done, task, Date.now()));
        // One that was resolved may simply be over; that a cause is gone must have been heard, or nobody has recorded it.
        const isLost = known?.standing === 'open' || task.kind === 'cleared';
        if (!isThere && known !== undefined && isLost && patched(LOST)) await this.#holder.lost(known);
      } finally {
        this.#busy = false;
      }
    }
  }

  get #next(): IncidentTask | undefined {
    return incidentsOf(this.#holder.state).tasks[0];
  }

  /** @returns false when the incident is not there (any more) */
  async #do(task: IncidentTask): Promise<boolean> {
    if (task.kind === 'start') {
      await this.#start(task);
      return true;
    }
    const handle = getExternalWorkflowHandle(
      incidentWorkflowId(this.#holder.state.manifest.name, task.incident),
    );
    try {
      // Nothing of an incident is changed by that.
      if (task.kind === 'asked')
        await handle.signal(retryParked, { requestId: 'asked', actor: workflowInfo().workflowId });
      else if (task.kind === 'repeated') await handle.signal(incidentRepeated, task.repeat);
      else if (task.kind === 'mitigated') await handle.signal(incidentMitigated, task.mitigation);
      else await handle.signal(incidentCleared, task.clearance);
      return true;
    } catch (error) {
      if (isCancellation(error)) throw error;
      log.warn('The incident did not take the message', {
        incident: task.incident,
        reason: describeFailure(error),
      });
      return false;
    }
  }

  /**
   * One that is terminated cannot say so. Only the run that started it sees its end: a later one asks after those that hold promotions
   * back when it begins, and the doctor names what is left.
   */
  async #watch(number: number, result: Promise<unknown>): Promise<void> {
    try {
      await result;
    } catch {
      // The run of an incident that is reset ends as if it were terminated, and another goes on.
      if (patched(LOST)) this.ask(number);
    }
  }

  /** Finds out whether an incident is still there. */
  ask(number: number): void {
    this.#holder.update(askAfter(this.#holder.state, number));
  }

  /** For a run that continues another. */
  askHolding(): void {
    const holding = incidentsOf(this.#holder.state).open.filter(
      ({ holds, standing }) => holds && standing === 'open',
    );
    if (holding.length > 0 && patched(LOST)) for (const { incident: number } of holding) this.ask(number);
  }

  async #start({ input }: Extract<IncidentTask, { kind: 'start' }>): Promise<void> {
    const version = this.#holder.state.champion?.version ?? 'none';
    try {
      const child = await startChild(incident, {
        ...incidentStart(input, { version, openedAt: new Date().toISOString() }),
        args: [input],
        // It outlives any run of its parent, and the parent.
        parentClosePolicy: ParentClosePolicy.ABANDON,
        cancellationType: ChildWorkflowCancellationType.ABANDON,
      });
      void this.#watch(input.opening.incident, child.result());
    } catch (error) {
      // Started by an earlier run of this workflow (a reset): it is the same.
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  }
}
