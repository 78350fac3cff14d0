import type { Json, LedgerEvent } from '../contracts/ledger.js';

/** One event in plain words. */
export interface StoryLine {
  readonly sequence: number;
  readonly at: string;
  readonly action: string;
  /** The person, or the part of Tenure. */
  readonly who: string;
  readonly sentence: string;
  /** Belongs to the record, not to the story: intents, whose outcome follows, and measurements. */
  readonly detail: boolean;
}

type Teller = (facts: Facts) => string;

const UNKNOWN = 'not stated';

/** Action -> sentence. Written for somebody who was not there. */
const TELLERS: Readonly<Record<string, Teller>> = {
  'manifest.applied': (f) => `${f.who} applied the manifest (revision ${f.of('revision')})`,
  'version.registered': (f) =>
    `${f.who} registered version ${f.version} (${f.digest}, ${f.of('sizeBytes')} bytes)`,
  'model.cancellation-ignored': (f) =>
    `Somebody asked Temporal to cancel the model's workflow; it goes on: ${f.reason}`,
  'request.refused': (f) => `${f.who} asked for ${f.of('request')}, refused: ${f.reason}`,
  'monitor.found': (f) => `A monitor found: ${f.of('summary')} (${f.of('severity')})`,
  'incident.opened': (f) =>
    `${f.incident} was opened (${f.of('severity')}): ${f.of('title', 'cause')}${f.value('release') === undefined ? '' : `, ${f.blamed}`}`,
  'incident.repeated': (f) =>
    `${f.incident}: its cause was found again (${f.of('repeats')} times so far): ${f.of('summary')}`,
  'incident.acknowledged': (f) => `${f.who} sees to ${lower(f.incident)}${f.why}`,
  'incident.escalated': (f) => `Nobody has acknowledged ${lower(f.incident)}: ${f.names('contacts')} told`,
  'incident.mitigated': (f) => `${f.incident} is mitigated: ${f.of('how')}`,
  'incident.resolved': (f) =>
    `${f.incident} is resolved${f.who === 'Tenure' ? '' : ` by ${f.who}`}: ${f.reason}`,
  'incident.reopened': (f) => `${f.incident} is open again: ${f.of('summary')}`,
  'incident.reported': (f) => `${f.who} says that ${lower(f.incident)} was reported: ${f.reason}`,
  'incident.report-overdue': (f) =>
    `${f.incident} was to be reported by ${f.of('due')}, and nobody has said so`,
  'incident.lost': (f) => `${f.incident} ended without being resolved: ${f.reason}`,
  'incident.asked-after': (f) => `${f.who} had the model ask after ${lower(f.incident)}: ${f.names('found')}`,
  'release.submitted': (f) => `${f.who} submitted ${f.release} of ${f.version}`,
  'release.validated': (f) => {
    const gates = f.list('report.gates');
    const failed = gates
      .filter((gate) => read(gate, 'passed') !== true)
      .map((gate) => said(read(gate, 'gate')));
    if (gates.length === 0) return `${f.version} was validated: ${UNKNOWN}`;
    return failed.length === 0
      ? `${f.version} passed all ${gates.length} gates`
      : `${f.version} failed ${failed.length} of ${gates.length} gates: ${failed.join(', ')}`;
  },
  'release.approval-requested': (f) =>
    `${f.release} waits for ${f.of('quorum')} ${f.value('quorum') === 1 ? 'approval' : 'approvals'} ${gate(f)} from ${f.names('approvers')}`,
  'approval.given': (f) => `${f.who} approved ${f.release} of ${f.version}: ${f.reason}`,
  'approval.rejected': (f) => `${f.who} rejected ${f.release} of ${f.version}: ${f.reason}`,
  'approval.refused': (f) =>
    `A decision of ${f.who} on ${f.release} was refused: ${f.of('refused', 'refusal')}`,
  'approval.malformed': (f) =>
    f.value('refused') === undefined
      ? `${f.of('malformed')} decision(s) on ${f.release} could not be read`
      : `Decisions on ${f.release} of no use so far: ${f.of('malformed')} could not be read, ` +
        `${f.of('refused')} more were refused, ${f.of('dropped')} were too many to be held`,
  'release.report-not-taken': (f) =>
    `${f.release} ended ${f.of('stage')}, and the model's workflow did not take the report`,
  'release.approved': (f) => `${f.release} of ${f.version} is approved`,
  'release.deployed': (f) => `${f.version} is loaded and ready on every gateway${f.traffic}`,
  'release.conformed': (f) =>
    `${f.version} gives its offline answers on ${f.of('conformance.gateways')} gateway(s), ` +
    `${f.of('conformance.rows')} rows, largest difference ${f.of('conformance.worstDifference')}`,
  'release.champion-measured': (f) => `The champion was measured before ${f.release}`,
  'release.shadowing': (f) => `${f.version} gets copies of requests${f.traffic}`,
  'release.shadow-agreed': (f) => `${f.version} agreed with the champion on copies of requests`,
  'canary.step-applied': (f) =>
    `${f.version} gets ${percent(f.value('weight'))} of the routing keys${f.traffic}`,
  'canary.rollback-rehearsed': (f) =>
    `The rollback of ${f.version} was rehearsed in ${f.of('rollbackSeconds')} s${f.traffic}`,
  'canary.planned': () => 'The plan of the canary and the history of the champion that its judge starts from',
  'canary.look': (f) => `${look(f)}${f.of('look.sentence')}`,
  'release.soak-look': (f) =>
    f.value('look.sentence') === undefined
      ? `The soak of ${f.version} was checked against the service objectives`
      : `${look(f)}${f.of('look.sentence')}`,
  'release.held-back': (f) =>
    `The promotion of ${f.version} is held back until ${f.of('until')}: ${f.reason}`,
  'release.promoted': (f) => `${f.version} is the champion${grounds(f)}${f.traffic}`,
  'release.succeeded': (f) => `${f.release} succeeded: ${f.version} serves${f.traffic}`,
  'release.rejected': (f) => `${f.release} of ${f.version} was rejected: ${f.reason}`,
  'release.rolled-back': (f) => `${f.version} was rolled back: ${f.reason}${f.traffic}`,
  'release.aborted': (f) => `${f.release} was aborted by ${f.who}: ${f.reason}${f.traffic}`,
  'release.rollback-unverified': (f) => `The rollback of ${f.version} is not verified: ${f.of('why')}`,
  'retraining.requested': (f) =>
    `${f.who} asked for a retraining (${f.of('trigger')}${f.value('finding') == null ? '' : `, finding ${f.of('finding')}`})`,
  'retraining.held-back': (f) => `A retraining (${f.of('trigger')}) was held back: ${f.reason}`,
  'retraining.started': (f) => `A challenger is trained, to be compared by ${f.of('metric')}`,
  'retraining.compared': (f) =>
    f.value('better') === true
      ? `The challenger is better than the champion by more than the margin: ${f.of('judgement.metric')} ${f.of('judgement.challenger')} against ${f.of('judgement.champion')}`
      : `The challenger does not take the place of the champion: ${f.reason}`,
  'retraining.ended': (f) =>
    f.value('outcome') === 'submitted'
      ? `The retraining ended: its challenger ${f.of('version')} goes into release ${f.of('release')}`
      : `The retraining ended ${f.of('outcome')}: ${f.reason}`,
  'model.frozen': (f) => `${f.who} froze the model: ${f.reason}`,
  'model.unfrozen': (f) => `${f.who} ended the freeze: ${f.reason}`,
  'model.rolled-back': (f) => `${f.who} rolled the model back to ${f.version}: ${f.reason}${f.traffic}`,
  'model.rollback-failed': (f) => `The rollback to ${f.version} failed: ${f.reason}`,
  'model.rollback-window-ended': (f) =>
    `Former champions were unloaded: the rollback window is over${f.traffic}`,
  'gateway.retired': (f) =>
    `${f.who} counted gateway ${f.of('gateway')} out for good, last heard of at ${f.of('seenAt')}` +
    (f.value('reason') === undefined ? '' : `: ${f.reason}`),
  'model.realigned': (f) =>
    `${f.who} had the routing table set again: ${serving(f)}${f.traffic}; it was found otherwise: ${f.names('found')}`,
  'model.recovered': (f) =>
    `${f.who} had the lifecycle started from this record: ${serving(f)}${ended(f)}; ${f.reason}`,
  'model.release-stopped': (f) => `${f.who} had ${f.of('workflow')} terminated: ${f.of('found')}`,
  'model.release-end-told': (f) =>
    `${f.who} had the model told that release ${f.of('ended')} ended ${f.of('stage')}`,
  'version.restored': (f) => `${f.who} had ${f.version} put back into the registry: ${f.of('found')}`,
  'model.retired': (f) => `${f.who} retired the model: ${f.reason}${f.traffic}`,
};

const DETAILS = ['release.champion-measured', 'release.soak-look', 'canary.look', 'canary.planned'];

/** Tells an event. Actions that are not known here get a plain sentence made of their name. */
export function tell(event: LedgerEvent): StoryLine {
  const { sequence, at, action } = event;
  const facts = new Facts(event);
  const teller = Object.hasOwn(TELLERS, action) ? TELLERS[action] : undefined;
  return {
    sequence,
    at,
    action,
    who: facts.who,
    sentence: teller === undefined ? plainly(facts, action) : teller(facts),
    detail:
      action.endsWith('-requested') && action !== 'release.approval-requested'
        ? true
        : DETAILS.includes(action),
  };
}

/** `release.promoted-requested` -> `Release promoted requested, of v2, by …`. */
function plainly(facts: Facts, action: string): string {
  const words = action.replaceAll(/[.-]/g, ' ');
  const about = facts.version === 'a version' ? '' : ` (${facts.version})`;
  const reason = facts.reason === UNKNOWN ? '' : `: ${facts.reason}`;
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}${about} by ${facts.who}${reason}`;
}

/** What the sentences are made of; says so where an event lacks something. */
class Facts {
  readonly #event: LedgerEvent;

  constructor(event: LedgerEvent) {
    this.#event = event;
  }

  get who(): string {
    const { kind, id } = this.#event.actor;
    return kind === 'person' ? id : 'Tenure';
  }

  get version(): string {
    const version = read(this.#event.subject, 'version');
    return typeof version === 'string' ? version : 'a version';
  }

  get digest(): string {
    return said(read(this.#event.subject, 'digest')).slice(0, 12);
  }

  get release(): string {
    const release = read(this.#event.subject, 'release');
    return typeof release === 'number' ? `release ${release}` : 'a release';
  }

  get incident(): string {
    const incident = read(this.#event.subject, 'incident');
    return typeof incident === 'number' ? `Incident ${incident}` : 'An incident';
  }

  /** The release that an incident names. */
  get blamed(): string {
    return `release ${this.of('release')}`;
  }

  /** A reason where one was given. */
  get why(): string {
    const reason = this.value('reason');
    return typeof reason === 'string' && reason !== '' ? `: ${reason}` : '';
  }

  get reason(): string {
    return this.of('reason');
  }

  /** What an act on the traffic adds. */
  get traffic(): string {
    const generation = this.value('generation');
    if (typeof generation !== 'number') return '';
    const { length } = this.list('unreachable');
    return ` (generation ${generation}${length === 0 ? '' : `, ${length} gateway(s) unreachable: ${this.names('unreachable')}`})`;
  }

  /** The first of these paths that has a value, evidence before subject. */
  value(...paths: readonly string[]): Json | undefined {
    for (const path of paths) {
      const value = read(this.#event.evidence, path) ?? read(this.#event.subject, path);
      if (value !== undefined && value !== null) return value;
    }
    return undefined;
  }

  of(...paths: readonly string[]): string {
    return said(this.value(...paths));
  }

  list(path: string): readonly Json[] {
    const value = this.value(path);
    return Array.isArray(value) ? (value as readonly Json[]) : [];
  }

  names(path: string): string {
    const names = this.list(path).map(said);
    return names.length === 0 ? 'nobody' : names.join(', ');
  }
}

function read(from: Json | undefined, path: string): Json | undefined {
  let value: Json | undefined = from;
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    value = Object.hasOwn(value, key) ? (value as Readonly<Record<string, Json>>)[key] : undefined;
  }
  return value;
}

function said(value: Json | undefined): string {
  if (value === undefined || value === null) return UNKNOWN;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

const lower = (text: string): string => `${text.charAt(0).toLowerCase()}${text.slice(1)}`;

const percent = (value: Json | undefined): string =>
  typeof value === 'number' ? `${Math.round(value * 10_000) / 100} %` : said(value);

const gate = (facts: Facts): string =>
  facts.value('gate') === 'beforePromote' ? 'before promotion' : 'before deployment';

const serving = (facts: Facts): string => {
  const version = facts.value('champion.version');
  return version === undefined ? 'nothing serves' : `${said(version)} serves`;
};

/** What became of releases when a lifecycle was made again. */
function ended(facts: Facts): string {
  const kinds: readonly [path: string, what: string][] = [
    ['aborted', 'aborted'],
    ['superseded', 'superseded'],
    ['kept', 'going on'],
  ];
  return kinds
    .filter(([path]) => facts.list(path).length > 0)
    .map(([path, what]) => `, release ${facts.names(path)} ${what}`)
    .join('');
}

/** What a promotion stands on, where it is not a proof. */
function grounds(facts: Facts): string {
  if (facts.value('probationary') === true) return ', on probation: there was no other to compare it with';
  if (facts.value('held') !== undefined) return `, by a decision on a canary that was ${facts.of('held')}`;
  return facts.value('proven') === false ? ', not proven to be no worse' : '';
}

function look(facts: Facts): string {
  const number = facts.value('look.look');
  return typeof number === 'number' ? `Look ${number}: ` : '';
}
