/** What must hold after any number of kills, as pure functions of what was found afterwards. */
import type { LedgerEvent } from '../../../src/contracts/ledger.js';
import type { RoutingTable } from '../../../src/contracts/routes.js';

export interface ReleaseFacts {
  readonly release: number;
  readonly version: string;
  /** Result of the workflow, or in words why there is none. */
  readonly inTemporal: string;
  /** What the model says of it; null when it does not know it. */
  readonly inModel: string | null;
  /** The ends that what was released may come to. */
  readonly mayEnd: readonly string[];
  /** When its end was seen, epoch milliseconds. The record has when it was ordered, which a kill may put long before. */
  readonly endedAt: number;
}

/** What users of one model got. */
export interface AnswerFacts {
  /** Requests by users; each is answered once. */
  readonly asked: number;
  readonly answered: number;
  /** In words: those that a live gateway did not answer with 200. */
  readonly lost: readonly string[];
  /** By version: how many, and when the last one was sent and answered (epoch milliseconds). */
  readonly byVersion: Readonly<Record<string, { readonly count: number; readonly lastSentAt: number }>>;
  /** Tries of those requests that may have reached a gateway. */
  readonly tries: number;
  /** Without any answer, milliseconds. No bound on it: where every gateway is dead there is nobody to answer. */
  readonly longestGapMs: number;
}

export interface ModelFacts {
  readonly model: string;
  /** Oldest first. */
  readonly events: readonly LedgerEvent[];
  /** In words; empty when the ledger verifies and its head is the one that the workflows carry. */
  readonly ledgerProblems: readonly string[];
  readonly releases: readonly ReleaseFacts[];
  readonly table: RoutingTable | null;
  /** Of the model's own state. */
  readonly champion: string | null;
  readonly inFlight: number | null;
  /** Live gateways, with the generation that each reports. */
  readonly observed: Readonly<Record<string, number>>;
  readonly answers: AnswerFacts;
  /** Users' requests in the stored windows. */
  readonly counted: number;
}

export interface Violation {
  readonly model: string;
  readonly rule: 'one-end' | 'routes' | 'ledger' | 'once' | 'answers';
  readonly what: string;
}

type Found = Omit<Violation, 'model'>;

/** Every rule on one model. Empty: all hold. */
export const violationsOf = (facts: ModelFacts): readonly Violation[] =>
  [
    ...facts.releases.flatMap((release) => oneEnd(facts, release)),
    ...unknownReleases(facts),
    ...routes(facts),
    ...facts.ledgerProblems.map((what): Found => ({ rule: 'ledger', what })),
    ...once(facts),
    ...generations(facts),
    ...answers(facts),
  ].map((found) => ({ model: facts.model, ...found }));

const ENDS = ['succeeded', 'rejected', 'rolled-back', 'aborted'].map((end) => `release.${end}`);

const releaseOf = ({ subject }: LedgerEvent): unknown => subject['release'];

const endsOf = ({ events }: ModelFacts, release: number): readonly LedgerEvent[] =>
  events.filter((event) => ENDS.includes(event.action) && releaseOf(event) === release);

/** Exactly one end in the ledger, one that it may come to, and Temporal and the model say the same. */
function oneEnd(facts: ModelFacts, { release, inTemporal, inModel, mayEnd }: ReleaseFacts): readonly Found[] {
  const ends = endsOf(facts, release);
  const found = (what: string): Found => ({ rule: 'one-end', what: `release ${release}: ${what}` });
  const [end] = ends;
  if (end === undefined || ends.length !== 1)
    return [
      found(
        `${ends.length} ends in the ledger: ${ends.map(({ id, action }) => `${action} ${id}`).join(', ')}`,
      ),
    ];
  const recorded = end.action.replace('release.', '');
  return [
    ...(mayEnd.includes(recorded) ? [] : [found(`${recorded}, may only be ${mayEnd.join(' or ')}`)]),
    ...(recorded === inTemporal ? [] : [found(`${recorded} in the ledger, ${inTemporal} in Temporal`)]),
    ...(recorded === inModel ? [] : [found(`${recorded} in the ledger, ${inModel} in the model's state`)]),
  ];
}

/** Nothing runs or ran that nobody asked for, and what was asked for is recorded once. */
function unknownReleases({ events, releases }: ModelFacts): readonly Found[] {
  const asked = releases.map(({ release }) => release).sort((a, b) => a - b);
  const submitted = events
    .filter(({ action }) => action === 'release.submitted')
    .map((event) => Number(releaseOf(event)))
    .sort((a, b) => a - b);
  return JSON.stringify(asked) === JSON.stringify(submitted)
    ? []
    : [
        {
          rule: 'one-end',
          what: `releases ${asked.join()} were asked for, ${submitted.join()} are recorded`,
        },
      ];
}

/** The champion by the outcomes on record: promoted versions serve until their release is taken back. */
export function championByRecord(events: readonly LedgerEvent[]): string | null {
  let champion: string | null = null;
  const before = new Map<unknown, string | null>();
  for (const event of events) {
    const release = releaseOf(event);
    if (event.action === 'release.promoted') {
      before.set(release, champion);
      champion = String(event.subject['version']);
    }
    const isTakenBack = event.action === 'release.rolled-back' || event.action === 'release.aborted';
    if (isTakenBack && before.has(release)) champion = before.get(release) ?? null;
    if (event.action === 'model.rolled-back') champion = String(event.subject['version']);
  }
  return champion;
}

function routes({ events, table, champion, inFlight, observed }: ModelFacts): readonly Found[] {
  const found = (what: string): Found => ({ rule: 'routes', what });
  const expected = championByRecord(events);
  if (table === null) return expected === null ? [] : [found(`no table, but ${expected} was promoted`)];
  const left = [
    ...(table.candidate === null ? [] : ['candidate']),
    ...(table.holdback === null ? [] : ['holdback']),
    ...(table.shadow === null ? [] : ['shadow']),
    ...(table.release === null ? [] : ['release']),
  ];
  const serving = table.champion?.version ?? null;
  const late = Object.entries(observed).filter(([, generation]) => generation !== table.generation);
  return [
    ...(serving === expected ? [] : [found(`${serving} serves, by the record it is ${expected}`)]),
    ...(champion === expected ? [] : [found(`${champion} in the model's state, ${expected} by the record`)]),
    ...(left.length === 0 ? [] : [found(`the table still has ${left.join(', ')}, and nothing is in flight`)]),
    ...(table.phase === 'steady' ? [] : [found(`the table's phase is ${table.phase}`)]),
    ...(inFlight === null ? [] : [found(`release ${inFlight} is still in flight in the model's state`)]),
    ...late.map(([gateway, generation]) =>
      found(`${gateway} reports generation ${generation}, the table has ${table.generation}`),
    ),
  ];
}

/** What happens once in a release, whatever was killed. */
const SINGLE: readonly string[] = [
  'release.validated',
  'release.deployed',
  'release.conformed',
  'release.champion-measured',
  'release.promoted',
  'canary.planned',
  'canary.rollback-rehearsed',
];

/** No event stands twice, under the same id or as the same act under another. */
function once({ events }: ModelFacts): readonly Found[] {
  const found = (what: string): Found => ({ rule: 'once', what });
  const ids = events.map(({ id }) => id);
  const twice = ids.filter((id, i) => ids.indexOf(id) !== i);
  const again = ids.filter((id) => id.includes('/again/'));
  const acts = events
    .filter(({ action }) => SINGLE.includes(action))
    .map((event) => `${event.action} of release ${String(releaseOf(event))}`);
  const versions = events
    .filter(({ action }) => action === 'version.registered')
    .map(({ subject }) => `version.registered of ${String(subject['version'])}`);
  const repeated = [...acts, ...versions].filter((act, i, all) => all.indexOf(act) !== i);
  return [
    ...twice.map((id) => found(`${id} stands twice`)),
    ...again.map((id) => found(`${id}: an act was recorded again`)),
    ...repeated.map((act) => found(`${act} stands twice`)),
  ];
}

interface Recorded {
  readonly place: number;
  readonly generation: number;
}

/** Each generation was made by one act: all recorded, or an intent on record says which act was cut short. */
function generations({ events, table }: ModelFacts): readonly Found[] {
  const found = (what: string): Found => ({ rule: 'once', what });
  const recorded = events.flatMap((event, place): Recorded[] => {
    const { generation, confirmed } = event.evidence;
    return typeof generation === 'number' && Array.isArray(confirmed) ? [{ place, generation }] : [];
  });
  const problems: Found[] = [];
  let before: Recorded = { place: -1, generation: 0 };
  for (const next of recorded) {
    if (next.generation <= before.generation)
      problems.push(found(`generation ${next.generation} is recorded after ${before.generation}`));
    else if (next.generation > before.generation + 1 && !explained(events, before.place, next.place))
      problems.push(
        found(`generations between ${before.generation} and ${next.generation} have no act on record`),
      );
    before = next;
  }
  const last = table?.generation ?? 0;
  if (last !== before.generation)
    problems.push(found(`the table has generation ${last}, the last one on record is ${before.generation}`));
  return problems;
}

/** A rehearsal makes generations of its own; an act that an abort overtook has an intent and no outcome. */
function explained(events: readonly LedgerEvent[], from: number, to: number): boolean {
  const between = events.slice(from + 1, to + 1);
  const isCutShort = ({ id }: LedgerEvent): boolean =>
    id.endsWith('/intent') && !events.some((event) => event.id === id.slice(0, -'/intent'.length));
  return between.some((event) => event.action.startsWith('canary.rollback-rehears') || isCutShort(event));
}

/** A gateway that was cut off serves by its last table for its lease; clocks and the way there take their time too. */
const LATE_MS = 10_000;

function answers({ events, releases, answers: got, counted }: ModelFacts): readonly Found[] {
  const found = (what: string): Found => ({ rule: 'answers', what });
  const over = new Map<string, number>();
  for (const { release, version, endedAt } of releases) {
    const [end] = events.filter((event) => ENDS.includes(event.action) && releaseOf(event) === release);
    if (end !== undefined && end.action !== 'release.succeeded') over.set(version, endedAt);
  }
  const late = Object.entries(got.byVersion).filter(
    ([version, { lastSentAt }]) => lastSentAt > (over.get(version) ?? Number.POSITIVE_INFINITY) + LATE_MS,
  );
  return [
    ...got.lost.map((what) => found(what)),
    ...(got.answered === got.asked ? [] : [found(`${got.asked} requests, ${got.answered} answers`)]),
    ...late.map(([version]) => found(`${version} answered users after its release had ended`)),
    ...(counted <= got.tries ? [] : [found(`${counted} requests are counted, ${got.tries} were made`)]),
  ];
}
