import type { LedgerEvent } from '../../../src/contracts/ledger.js';

export interface SlowRelease {
  model: string;
  n: number;
  version: string | null;
  digest: string | null;
  promotedAt: number | null;
  endedAt: number | null;
  outcome: string | null;
  asked: number | null;
  waited: [number, number][];
  /** Ends of what it is to blame for; null: not over. */
  blames: (number | null)[];
  person: boolean;
  takenAwayByPerson: boolean;
}

export interface SlowIncident {
  model: string;
  n: number;
  /** Empty until it is opened; the worst in the end. */
  severity: string;
  worst: string;
  origin: string | null;
  opened: number;
  onset: number | null;
  detected: number | null;
  release: number | null;
  findings: string[];
  acknowledged: number | null;
  mitigated: number | null;
  resolved: number | null;
  lost: number | null;
}

export interface SlowRetraining {
  model: string;
  requested: number | null;
  trigger: string | null;
  finding: string | null;
  ended: number | null;
  outcome: string | null;
  release: number | null;
  person: boolean;
}

export interface SlowModel {
  team: string | null;
  owner: string;
  riskTier: string;
  automated: boolean;
  /** Changes of who serves: a version's name, `-` for nothing, `!` for retired. */
  serving: [number, string][];
}

// oxlint-disable-next-line typescript/no-explicit-any -- what events hold is read as it comes
export type Any = Record<string, any>;
export const loose = (fields: object): Any => fields;

export interface Books {
  models: Map<string, SlowModel>;
  releases: Map<string, SlowRelease>;
  registered: Map<string, number>;
  incidents: Map<string, SlowIncident>;
  retrainings: Map<string, SlowRetraining>;
  rolledBack: number[];
  heldBack: number[];
}

/** Walks through all events once, in the order of their times, and keeps books. */
export function keepBooks(events: readonly LedgerEvent[]): Books {
  const books: Books = {
    models: new Map(),
    releases: new Map(),
    registered: new Map(),
    incidents: new Map(),
    retrainings: new Map(),
    rolledBack: [],
    heldBack: [],
  };
  // Whom a release took over from, as `serving` has it.
  const former = new Map<string, string>();
  for (const event of events) {
    const { stream: model, action } = event;
    const at = Date.parse(event.at);
    const [subject, evidence] = [loose(event.subject), loose(event.evidence)];
    const isPerson = event.actor.kind === 'person' && !event.actor.id.startsWith(`retraining:${model}:`);
    const known = books.models.get(model) ?? {
      team: null,
      owner: '',
      riskTier: '',
      automated: false,
      serving: [],
    };
    books.models.set(model, known);
    if (action === 'manifest.applied') {
      const { team, owner, riskTier } = evidence['manifest'];
      Object.assign(known, { team, owner, riskTier, automated: retrainsItself(evidence['manifest']) });
    }
    if (action === 'version.registered') {
      const key = `${model}/${subject['version']}`;
      if (!books.registered.has(key)) books.registered.set(key, at);
    }
    if (typeof subject['release'] === 'number') {
      const key = `${model}/${subject['release']}`;
      const release: SlowRelease = books.releases.get(key) ?? {
        model,
        n: subject['release'],
        version: null,
        digest: null,
        promotedAt: null,
        endedAt: null,
        outcome: null,
        asked: null,
        waited: [],
        blames: [],
        person: false,
        takenAwayByPerson: false,
      };
      books.releases.set(key, release);
      if (isPerson) release.person = true;
      release.version ??= subject['version'] ?? null;
      release.digest ??= subject['digest'] ?? null;
      if (action === 'release.approval-requested') release.asked ??= at;
      else if (
        /^release\.(approved|promoted|succeeded|rejected|rolled-back|aborted)$/.test(action) &&
        release.asked !== null
      ) {
        release.waited.push([release.asked, at]);
        release.asked = null;
      }
      if (action === 'release.promoted' && release.promotedAt === null) {
        release.promotedAt = at;
        former.set(key, evidence['former'] === null ? '-' : String(evidence['former'].version));
        // An end may stand before the promotion that it ended.
        known.serving.push([at, String(subject['version'])]);
      }
      if (/^release\.(succeeded|rejected|rolled-back|aborted)$/.test(action) && release.outcome === null) {
        release.outcome = action.slice('release.'.length);
        release.endedAt = at;
        if (release.outcome !== 'succeeded') known.serving.push([at, `end of ${key}`]);
      }
    }
    if (action === 'model.rolled-back') {
      books.rolledBack.push(at);
      known.serving.push([at, String(subject['version'])]);
      const promoted = [...books.releases.values()].filter(
        (release) =>
          release.model === model && release.promotedAt !== null && release.digest === subject['from'].digest,
      );
      let latest: SlowRelease | null = null;
      for (const { at: when, n } of promotions(events, model)) {
        const release = promoted.find((one) => one.n === n && one.promotedAt === when);
        if (release !== undefined && when <= at) latest = release;
      }
      if (latest !== null) {
        latest.blames.push(at);
        if (event.actor.kind === 'person') latest.takenAwayByPerson = true;
      }
    }
    if (action === 'model.realigned' || action === 'model.recovered')
      known.serving.push([at, subject['champion'] === null ? '-' : String(subject['champion'].version)]);
    if (action === 'model.retired') known.serving.push([at, '!']);
    if (action.startsWith('incident.'))
      keepIncident(books, model, action.slice('incident.'.length), at, subject, evidence);
    if (action === 'retraining.held-back') books.heldBack.push(at);
    else if (action.startsWith('retraining.')) {
      const key = `${model}/${subject['retraining']}`;
      const run: SlowRetraining = books.retrainings.get(key) ?? {
        model,
        requested: null,
        trigger: null,
        finding: null,
        ended: null,
        outcome: null,
        release: null,
        person: false,
      };
      books.retrainings.set(key, run);
      if (isPerson) run.person = true;
      if (action === 'retraining.requested' && run.requested === null)
        Object.assign(run, { requested: at, trigger: evidence['trigger'], finding: evidence['finding'] });
      if (action === 'retraining.ended' && run.ended === null)
        Object.assign(run, { ended: at, outcome: evidence['outcome'], release: evidence['release'] });
    }
  }
  for (const [, incident] of books.incidents) {
    if (incident.severity === '') continue;
    incident.severity = incident.worst;
    if (incident.origin === 'revalidation') incident.release = null;
    const release = books.releases.get(`${incident.model}/${incident.release}`);
    const { origin, mitigated, resolved, lost } = incident;
    const back = origin === 'rolled-back' ? mitigated : null;
    if (incident.severity !== 'info') release?.blames.push(back ?? resolved ?? lost);
  }
  for (const release of books.releases.values())
    if (release.promotedAt !== null && release.outcome !== null && release.outcome !== 'succeeded')
      release.blames.push(release.endedAt);
  // Only now is it known whether a release that ended had been in production.
  for (const known of books.models.values())
    known.serving = known.serving.flatMap(([at, what]): [number, string][] => {
      if (!what.startsWith('end of ')) return [[at, what]];
      const key = what.slice('end of '.length);
      if (books.releases.get(key)?.promotedAt === null) return [];
      return [[at, former.get(key) ?? '-']];
    });
  return books;
}

/** Whether anything but a person can start a retraining of a model with this manifest. */
function retrainsItself({ retraining, monitoring }: Any): boolean {
  if (retraining == null) return false;
  const { finding, schedule, newLabels, maxAgeSeconds } = retraining.triggers;
  if (schedule != null || newLabels != null || maxAgeSeconds != null) return true;
  if (finding !== true || monitoring == null) return false;
  for (const acts of Object.values<string[]>(monitoring.policy))
    for (const act of acts) if (act === 'retrain') return true;
  return false;
}

function promotions(events: readonly LedgerEvent[], model: string): { at: number; n: number }[] {
  const first = new Set<unknown>();
  const found: { at: number; n: number }[] = [];
  for (const { stream, action, at, subject } of events) {
    if (stream !== model || action !== 'release.promoted' || first.has(subject['release'])) continue;
    first.add(subject['release']);
    found.push({ at: Date.parse(at), n: Number(subject['release']) });
  }
  return found;
}

function keepIncident(
  books: Books,
  model: string,
  what: string,
  at: number,
  subject: Any,
  evidence: Any,
): void {
  const key = `${model}/${subject['incident']}`;
  const incident: SlowIncident = books.incidents.get(key) ?? {
    model,
    n: subject['incident'],
    severity: '',
    worst: '',
    origin: null,
    opened: Number.NaN,
    onset: null,
    detected: null,
    release: null,
    findings: [],
    acknowledged: null,
    mitigated: null,
    resolved: null,
    lost: null,
  };
  books.incidents.set(key, incident);
  if (what === 'opened' && incident.severity === '')
    Object.assign(incident, {
      severity: evidence['severity'],
      opened: at,
      onset: evidence['onset'] === null ? null : Date.parse(evidence['onset']),
      detected: Date.parse(evidence['detected']),
    });
  if (what === 'opened' || what === 'repeated' || what === 'reopened') {
    if (what === 'opened') incident.origin ??= String(evidence['origin']);
    incident.release ??= evidence['release'] ?? null;
    incident.findings.push(...(evidence['findings'] ?? []));
    const order = ['', 'info', 'warning', 'critical'];
    const worse = order.indexOf(evidence['severity'] ?? '') > order.indexOf(incident.worst);
    if (worse) incident.worst = evidence['severity'];
  }
  if (what === 'acknowledged') incident.acknowledged ??= at;
  if (what === 'mitigated') incident.mitigated ??= at;
  if (what === 'resolved') incident.resolved ??= at;
  if (what === 'lost') incident.lost ??= at;
  if (what === 'reopened') [incident.mitigated, incident.resolved] = [null, null];
}
