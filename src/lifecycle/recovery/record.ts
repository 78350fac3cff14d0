import type { LedgerEvent, LedgerHead } from '../../contracts/ledger.js';
import type { Manifest } from '../../contracts/manifest.js';
import type { ReleaseOutcome, VersionRef } from '../../contracts/model.js';
import { changeChampion, goBack } from '../champions.js';
import { manifestProblem } from '../manifest-shape.js';
import { abandonRelease } from '../model-reports.js';
import {
  clearQueue,
  dropQueued,
  initialModelState,
  queueRelease,
  release,
  startRelease,
  type ModelState,
} from '../model-state.js';
import { basisChangedBy, withBasisChange } from '../revalidation.js';
import { isStage } from '../stages.js';
import { AskedActs, askedByPolicy } from './asked.js';
import { withRecordedIncident } from './incidents.js';
import { retrainingRecorded } from './retraining.js';
import { evidenceOf, numberIn, numbersIn, releaseOf, subjectOf, textIn, textsIn } from './reading.js';
import { isKnown, outcomeOf, supersede, versionOf, withRelease } from './releases.js';

/** A model as its record has it. */
export interface RecordedModel {
  /** With `inFlight` the release that has started and has no end on record. Null: no manifest on record. */
  readonly state: ModelState | null;
  /** Highest number of a release whose submission is on record, 0 when there is none. */
  readonly submitted: number;
  /** Releases without an end on record, though a later one has started: taken back, since a success is always on record by then. */
  readonly presumed: readonly number[];
  /** In words, bounded. */
  readonly problems: readonly string[];
}

const MOST_PROBLEMS = 50;
const NO_END = 'its end is not on record, but a later release has started';

/**
 * Reads a model's events, oldest first, one at a time, and does to a state what the lifecycle did to its own. Two workflows write
 * to a stream, each in its order, so an event of a release may stand before the one that submitted it, and an end after the start
 * of the next.
 */
export class ModelRecord {
  readonly #model: string;
  #state: ModelState | null = null;
  /** Events that came before what they belong to: the manifest, or the submission of their release. */
  #early: LedgerEvent[] = [];
  #started = 0;
  #submittedUpTo = 0;
  #presumed = new Set<number>();
  #problems: string[] = [];
  #asked: AskedActs;
  #now = 0;

  constructor(model: string) {
    this.#model = model;
    this.#asked = new AskedActs(model);
  }

  next(event: LedgerEvent): void {
    const at = Date.parse(event.at);
    if (Number.isNaN(at)) this.#problem(event, 'has no time');
    else this.#now = at;
    if (event.action === 'manifest.applied') this.#manifest(event);
    else if (this.#state === null || this.#isEarly(this.#state, event)) this.#early.push(event);
    else this.#state = this.#apply(this.#state, event);
  }

  /** What is known so far; more events may follow. @param head the newest event of the stream */
  end(head: LedgerHead): RecordedModel {
    const copy = this.#copy();
    copy.#settleEarly();
    return copy.#result(head);
  }

  #copy(): ModelRecord {
    const copy = new ModelRecord(this.#model);
    copy.#state = this.#state;
    copy.#early = [...this.#early];
    copy.#started = this.#started;
    copy.#submittedUpTo = this.#submittedUpTo;
    copy.#presumed = new Set(this.#presumed);
    copy.#problems = [...this.#problems];
    copy.#asked = this.#asked.copy();
    copy.#now = this.#now;
    return copy;
  }

  #result(head: LedgerHead): RecordedModel {
    const state = this.#state;
    if (state === null) this.#add('no manifest is on record');
    return {
      state: state === null ? null : { ...state, head, pending: this.#asked.acts },
      submitted: this.#submittedUpTo,
      presumed: [...this.#presumed].sort((a, b) => a - b),
      problems: this.#problems,
    };
  }

  #manifest(event: LedgerEvent): void {
    const manifest = evidenceOf(event, 'manifest');
    const revision = numberIn(subjectOf(event, 'revision'));
    const problem = manifestProblem(manifest);
    if (problem !== null || revision === null) {
      return this.#problem(
        event,
        problem === null ? 'has no revision' : `has no usable manifest: manifest${problem}`,
      );
    }
    const known = manifest as unknown as Manifest;
    if (known.name !== this.#model) return this.#problem(event, `is of another model, ${known.name}`);
    const state = this.#state ?? initialModelState(known);
    if (revision >= state.manifestRevision) {
      const applied = { ...state, manifest: known, manifestRevision: revision };
      const fields = basisChangedBy(state, known);
      this.#state = fields.length === 0 ? applied : withBasisChange(applied, fields, this.#now);
    }
    this.#retryEarly();
  }

  #isEarly(state: ModelState, event: LedgerEvent): boolean {
    const number = releaseOf(event);
    return number !== null && event.action !== 'release.submitted' && !isKnown(state, number);
  }

  #retryEarly(): void {
    const early = this.#early;
    this.#early = [];
    for (const event of early) this.next(event);
  }

  /** What belongs to nothing: a release that nobody is known to have submitted is known by its own events. */
  #settleEarly(): void {
    while (this.#state !== null && this.#early.length > 0) {
      const [first] = this.#early;
      const number = first === undefined ? null : releaseOf(first);
      if (first === undefined || number === null) return;
      this.#problem(first, `is of release ${number}, whose submission is not on record`);
      this.#state = this.#submitted(this.#state, number, versionOf(first), 'unknown', first.at);
      this.#retryEarly();
    }
  }

  #apply(before: ModelState, event: LedgerEvent): ModelState {
    const generation = numberIn(evidenceOf(event, 'generation'));
    const state =
      generation === null ? before : { ...before, generation: Math.max(before.generation ?? 0, generation) };
    const number = releaseOf(event);
    if (event.action === 'release.submitted') return this.#submit(state, event, number);
    if (number !== null && state.queue.includes(number) && evidenceOf(event, 'queued') === true)
      return dropQueued(state, number, textIn(evidenceOf(event, 'reason')) ?? '', this.#now);
    if (number !== null) return this.#ofRelease(this.#start(state, number, event), number, event);
    return this.#ofModel(state, event);
  }

  #submit(state: ModelState, event: LedgerEvent, number: number | null): ModelState {
    const version = versionOf(event);
    if (number === null || version === null) {
      this.#problem(event, 'names no release or version');
      return state;
    }
    if (isKnown(state, number)) {
      this.#problem(event, `submits release ${number} a second time`);
      return state;
    }
    this.#submittedUpTo = Math.max(this.#submittedUpTo, number);
    const gone = numbersIn(evidenceOf(event, 'superseded')).filter((other) => state.queue.includes(other));
    const next = this.#submitted(state, number, version, event.actor.id, event.at);
    this.#state = supersede(next, gone, `superseded by release ${number}`, event.at);
    this.#retryEarly();
    return this.#state;
  }

  #submitted(
    state: ModelState,
    number: number,
    version: VersionRef | null,
    submittedBy: string,
    at: string,
  ): ModelState {
    const time = Date.parse(at);
    const now = Number.isNaN(time) ? this.#now : time;
    const { nextRelease } = state;
    const unknown = { version: 'unknown', digest: 'unknown' };
    const queued = queueRelease(
      { ...state, nextRelease: number },
      { version: version ?? unknown, submittedBy, supersede: false, now },
    ).state;
    const releases = [...queued.releases].sort((a, b) => b.release - a.release);
    return { ...queued, releases, nextRelease: Math.max(nextRelease, number + 1) };
  }

  /** The first sign of life of a release: it is in flight. */
  #start(state: ModelState, number: number, event: LedgerEvent): ModelState {
    if (!state.queue.includes(number)) return state;
    const ends = outcomeOf(event) !== null;
    if (!ends) this.#asked.releaseStarted(this.#now);
    const { inFlight } = state;
    const alone = inFlight === null || inFlight > number ? state : this.#presume(state, inFlight);
    const started = startRelease(alone, number);
    const isNewest = number > this.#started;
    this.#started = Math.max(this.#started, number);
    if (ends) return { ...started, inFlight: alone.inFlight };
    return isNewest ? started : this.#presume({ ...started, inFlight: alone.inFlight }, number);
  }

  #presume(state: ModelState, number: number): ModelState {
    this.#presumed.add(number);
    return abandonRelease(state, number, NO_END, this.#now);
  }

  #ofRelease(state: ModelState, number: number, event: LedgerEvent): ModelState {
    const outcome = outcomeOf(event);
    if (outcome !== null) return this.#end(state, number, outcome, event);
    const summary = release(state, number);
    if (event.action !== 'release.promoted' || summary === undefined || summary.endedAt !== null)
      return state;
    const promoted = withRelease(state, number, { stage: 'soaking' });
    return changeChampion(promoted, versionOf(event) ?? summary, number, this.#now);
  }

  #end(state: ModelState, number: number, outcome: ReleaseOutcome, event: LedgerEvent): ModelState {
    const summary = release(state, number);
    // The first end stands: an act that was repeated under another id changes nothing.
    if (
      summary === undefined ||
      (summary.endedAt !== null && isStage(summary.stage) && !this.#presumed.has(number))
    )
      return state;
    this.#presumed.delete(number);
    const version = versionOf(event) ?? summary;
    const reason =
      textIn(evidenceOf(event, 'reason')) ?? (outcome === 'succeeded' ? `${version.version} serves` : null);
    const open = withRelease(state, number, { endedAt: null });
    const isLate = outcome === 'succeeded' && number < this.#started;
    if (isLate) this.#problem(event, 'says so after a later release has started');
    const over =
      outcome === 'succeeded'
        ? isLate
          ? open
          : changeChampion(open, version, number, this.#now)
        : abandonRelease(open, number, reason ?? '', this.#now);
    const ended = withRelease(over, number, {
      stage: outcome,
      reason,
      endedAt: new Date(this.#now).toISOString(),
    });
    const landed =
      state.inFlight === number
        ? { ...ended, inFlight: null, exposed: false }
        : { ...ended, inFlight: state.inFlight };
    this.#asked.releaseEnded(landed);
    return landed;
  }

  #ofModel(state: ModelState, event: LedgerEvent): ModelState {
    const { id: by } = event.actor;
    const reason = textIn(evidenceOf(event, 'reason')) ?? '';
    switch (event.action) {
      case 'model.rollback-requested': {
        const to = versionOf(event);
        const requestId = this.#asked.requestOf(event);
        if (to === null) this.#problem(event, 'names no version');
        else
          this.#asked.ask(
            { kind: 'roll-back', to, by, reason, requestId, at: null, ...askedByPolicy(event) },
            this.#now,
          );
        return state;
      }
      case 'model.retirement-requested':
        this.#asked.ask(
          { kind: 'retire', by, reason, requestId: this.#asked.requestOf(event), at: null },
          this.#now,
        );
        return state;
      case 'model.rolled-back': {
        this.#asked.done(event);
        const to = versionOf(event);
        if (to === null) this.#problem(event, 'names no version');
        return to === null ? state : goBack(state, to, this.#now);
      }
      case 'model.rollback-failed':
      case 'model.act-overtaken':
        this.#asked.done(event);
        return state;
      case 'model.retired': {
        this.#asked.retired();
        const none = { ...changeChampion(state, null, 0, this.#now), warm: [] };
        return { ...clearQueue(none, 'the model is retired', this.#now), retired: true };
      }
      case 'model.frozen':
        return { ...state, freeze: { reason, by, until: textIn(evidenceOf(event, 'until')) } };
      case 'model.unfrozen':
        return { ...state, freeze: null };
      case 'model.rollback-window-ended': {
        const unloaded = textsIn(subjectOf(event, 'unloaded'));
        return { ...state, warm: state.warm.filter(({ version }) => !unloaded.includes(version)) };
      }
      case 'incident.opened':
      case 'incident.resolved':
      case 'incident.reopened':
      case 'incident.lost':
        return withRecordedIncident(state, event);
      case 'retraining.requested':
      case 'retraining.held-back':
      case 'retraining.ended':
        return retrainingRecorded(state, event);
      case 'model.recovered':
        return this.#recovered(state, event, reason);
      default:
        return state;
    }
  }

  #recovered(state: ModelState, event: LedgerEvent, reason: string): ModelState {
    for (const number of numbersIn(evidenceOf(event, 'presumed'))) this.#presumed.delete(number);
    const gone = numbersIn(evidenceOf(event, 'superseded')).filter((number) => state.queue.includes(number));
    return supersede(state, gone, reason, event.at);
  }

  #problem({ sequence, action }: LedgerEvent, what: string): void {
    this.#add(`event ${sequence} (${action}) ${what}`);
  }

  #add(problem: string): void {
    if (this.#problems.length < MOST_PROBLEMS) this.#problems.push(problem);
  }
}
