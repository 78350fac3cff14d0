import type { LedgerEvent } from '../../../src/contracts/ledger.js';
import type { ReportScope } from '../../../src/contracts/report.js';
import type { WindowDocument } from '../../../src/platform/windows/collections.js';
import type { Plain } from './plain-report.js';
import { type Books, keepBooks, loose, type SlowIncident, type SlowRelease } from './slow-books.js';
import { down, quantileByDefinition, uncovered } from './slow-time.js';

const DAY = 86_400_000;

/** Keeps books of all events, then adds up: as plain and slow as can be, and of nothing that the report is made of. */
export function slowReport(
  events: readonly LedgerEvent[],
  windows: readonly WindowDocument[],
  scope: ReportScope,
): Plain {
  const since = Date.parse(scope.since);
  const until = Date.parse(scope.until);
  const teams = new Map<string, string>();
  for (const event of inOrder(events))
    if (event.action === 'manifest.applied' && Date.parse(event.at) < until)
      teams.set(event.stream, String(loose(event.evidence)['manifest'].team));
  const wanted = (model: string): boolean =>
    (scope.model === null || scope.model === model) &&
    (scope.team === null || teams.get(model) === scope.team);
  const books = keepBooks(
    inOrder(events).filter((event) => Date.parse(event.at) < until && wanted(event.stream)),
  );
  return addUp(
    books,
    windows.filter(({ model }) => wanted(model)),
    since,
    until,
  );
}

export const inOrder = (events: readonly LedgerEvent[]): LedgerEvent[] =>
  [...events].sort((a, b) =>
    a.stream !== b.stream
      ? a.stream < b.stream
        ? -1
        : 1
      : a.at !== b.at
        ? a.at < b.at
          ? -1
          : 1
        : a.sequence - b.sequence,
  );

function addUp(books: Books, windows: readonly WindowDocument[], since: number, until: number): Plain {
  const inWindow = (time: number | null): time is number => time !== null && time >= since && time < until;
  const releases = [...books.releases.values()];
  const incidents = [...books.incidents.values()].filter(({ severity }) => severity !== '');
  const made = releases.filter(({ promotedAt }) => inWindow(promotedAt));
  const failed = made.filter(({ blames }) => blames.length > 0);
  const opened = incidents.filter((incident) => inWindow(incident.opened));
  const withManifest = [...books.models].filter(([, { team }]) => team !== null);
  const days = (until - since) / DAY;

  const perWeek: number[] = [];
  for (let week = 0; (week + 1) * 7 * DAY <= until - since; week += 1) {
    let count = 0;
    for (let day = week * 7; day < week * 7 + 7; day += 1)
      if (
        made.some(
          ({ promotedAt }) => promotedAt! >= since + day * DAY && promotedAt! < since + (day + 1) * DAY,
        )
      )
        count += 1;
    perWeek.push(count);
  }

  const lead: { total: number; wait: number }[] = [];
  let unusable = 0;
  for (const key of new Set(
    releases.filter((r) => r.promotedAt !== null).map((r) => `${r.model}/${r.version}`),
  )) {
    const mine = releases.filter((r) => `${r.model}/${r.version}` === key);
    const to = Math.min(...mine.map((r) => r.promotedAt ?? Number.POSITIVE_INFINITY));
    if (!inWindow(to)) continue;
    const from = books.registered.get(key);
    if (from === undefined || from > to) {
      unusable += 1;
      continue;
    }
    let wait = 0;
    for (const release of mine)
      for (const [a, b] of release.waited)
        if (Math.min(b, to) > Math.max(a, from)) wait += Math.min(b, to) - Math.max(a, from);
    lead.push({ total: (to - from) / 1000, wait: wait / 1000 });
  }

  const backs = releases.filter(
    (r) => r.promotedAt !== null && r.outcome !== null && r.outcome !== 'succeeded' && inWindow(r.endedAt),
  ).length;
  const restored = backs + books.rolledBack.filter(inWindow).length;
  const isUnplanned = ({ model, n }: SlowRelease): boolean =>
    [...books.retrainings.values()].some(
      (run) =>
        run.model === model &&
        run.release === n &&
        incidents.some((i) => i.model === model && i.findings.includes(run.finding ?? '?')),
    );

  const recoveries: number[] = [];
  const open: Named[] = [];
  let odd = 0;
  for (const { model, n, promotedAt, blames } of failed) {
    if (blames.includes(null)) open.push({ model, number: n, ageSeconds: (until - promotedAt!) / 1000 });
    else {
      const seconds = (Math.max(...(blames as number[])) - promotedAt!) / 1000;
      if (seconds < 0) odd += 1;
      else recoveries.push(seconds);
    }
  }

  const isOpen = ({ resolved, lost }: SlowIncident): boolean => resolved === null && lost === null;
  const detect = opened.filter((i) => i.onset !== null).map((i) => (i.detected! - i.onset!) / 1000);
  const resolved = opened.filter((i) => i.resolved !== null);
  const remediate = resolved.map((i) => (i.resolved! - i.detected!) / 1000);
  const sane = resolved.filter((i) => i.resolved! >= i.detected!);
  const clip = (value: number, least: number, most: number): number =>
    value > most ? most : value < least ? least : value;
  const phases = { acknowledge: 0, mitigate: 0, verify: 0 };
  for (const i of sane) {
    const mitigated = clip(i.mitigated ?? i.resolved!, i.detected!, i.resolved!);
    const acknowledged = clip(i.acknowledged ?? mitigated, i.detected!, mitigated);
    phases.acknowledge += (acknowledged - i.detected!) / 1000 / sane.length;
    phases.mitigate += (mitigated - acknowledged) / 1000 / sane.length;
    phases.verify += (i.resolved! - mitigated) / 1000 / sane.length;
  }

  const traffic = windows.filter(({ from }) => inWindow(from)).map(requestsOf);
  const byModel = withManifest.map(([model, known]) => {
    const mine = made.filter((r) => r.model === model);
    const service = down(known.serving, until);
    const outages = [...service.down];
    for (const i of incidents)
      if (i.model === model && i.severity === 'critical') {
        const end = Math.min(i.mitigated ?? until, i.resolved ?? until, i.lost ?? until);
        outages.push([i.onset ?? i.detected ?? i.opened, end]);
      }
    const counted = traffic.filter(({ window }) => window.model === model);
    for (const { window, valid, answered } of counted)
      if (valid > 0 && answered <= 0) outages.push([window.from, window.to]);
    const clipped = service.up
      .map(([a, b]): [number, number] => [Math.max(a, since), Math.min(b, until)])
      .filter(([a, b]) => a < b);
    const { whole, free } = uncovered(clipped, outages);
    return {
      model,
      deployments: mine.length,
      failed: mine.filter(({ blames }) => blames.length > 0).length,
      ...goodOf(counted, since),
      up: free / 1000,
      whole: whole / 1000,
      incidents: opened.filter((i) => i.model === model).length,
      automated: known.automated,
      serves: service.serves,
    };
  });

  const active = byModel.filter(({ serves }) => serves);
  const ended = [...books.retrainings.values()].filter((run) => inWindow(run.ended));
  const ran = new Set(
    ended
      .filter(
        (run) =>
          run.trigger !== null &&
          run.trigger !== 'hand' &&
          /^(submitted|not-better)$/.test(run.outcome ?? ''),
      )
      .map((run) => run.model),
  );
  let [untouched, reached, decided] = [0, 0, 0];
  for (const run of ended) {
    const release = books.releases.get(`${run.model}/${run.release}`);
    if (run.outcome === 'submitted' && (release?.outcome ?? null) === null) continue;
    decided += 1;
    if (run.outcome !== 'submitted' || release?.outcome !== 'succeeded') continue;
    reached += 1;
    if (!run.person && run.trigger !== 'hand' && !release.person && !release.takenAwayByPerson)
      untouched += 1;
  }
  const count = <T>(values: readonly T[], of: T): number => values.filter((value) => value === of).length;
  const severities = ['info', 'warning', 'critical'].map((severity) => {
    const of = opened.filter((i) => i.severity === severity);
    return [severity, { opened: of.length, open: of.filter(isOpen).length }];
  });
  const stopped = (outcome: string): number =>
    releases.filter((r) => r.promotedAt === null && r.outcome === outcome && inWindow(r.endedAt)).length;
  const total = (key: 'good' | 'valid' | 'up' | 'whole'): number =>
    byModel.reduce((sum, row) => sum + row[key], 0);

  return {
    models: withManifest.length,
    deployments: made.length,
    frequency: withManifest.length === 0 ? null : made.length / days,
    daysPerWeek: withManifest.length === 0 ? null : quantileByDefinition(perWeek, 0.5),
    undecided: made.filter((r) => r.outcome === null && r.blames.length === 0).length,
    stopped: [stopped('rejected'), stopped('rolled-back'), stopped('aborted')],
    lead: [lead.map((l) => l.total), lead.map((l) => l.wait), lead.map((l) => l.total - l.wait)].map(
      spreadOf,
    ),
    leadUnusable: unusable,
    failRate: [failed.length, made.length],
    rework: [restored + made.filter(isUnplanned).length, restored + made.length],
    recovery: spreadOf(recoveries),
    recoveryOpen: open.sort(byName),
    recoveryUnusable: odd,
    requests: [total('good'), total('valid')],
    time: [total('up'), total('whole')],
    incidents: Object.fromEntries(severities),
    detect: spreadOf(detect.filter((seconds) => seconds >= 0)),
    onsetUnknown: opened.filter((i) => i.onset === null).length,
    remediate: spreadOf(remediate.filter((seconds) => seconds >= 0)),
    phases: sane.length === 0 ? null : phases,
    incidentsOpen: opened
      .filter(isOpen)
      .map((i) => ({ model: i.model, number: i.n, ageSeconds: (until - i.opened) / 1000 }))
      .sort(byName),
    endedByHand: opened.filter((i) => i.resolved === null && i.lost !== null).length,
    incidentsUnusable:
      detect.filter((seconds) => seconds < 0).length + remediate.filter((seconds) => seconds < 0).length,
    enabled: [active.filter(({ automated }) => automated).length, active.length],
    proven: [active.filter(({ automated, model }) => automated && ran.has(model)).length, active.length],
    untouched: [untouched, decided],
    reached,
    retrainingUndecided: ended.length - decided,
    requested: ['finding', 'schedule', 'labels', 'age', 'hand'].map((trigger) =>
      count(
        [...books.retrainings.values()].filter((run) => inWindow(run.requested)).map((run) => run.trigger),
        trigger,
      ),
    ),
    ended: ['submitted', 'not-better', 'insufficient', 'failed', 'cancelled'].map((outcome) =>
      count(
        ended.map((run) => run.outcome),
        outcome,
      ),
    ),
    heldBack: books.heldBack.filter(inWindow).length,
    byDay: Array.from({ length: Math.ceil(days) }, (_, day) => {
      const within = (time: number | null): boolean =>
        time !== null && time < until && Math.floor((time - since) / DAY) === day;
      const requests = traffic.filter(({ window }) => within(window.from));
      const valid = requests.reduce((sum, r) => sum + r.valid, 0);
      return [
        made.filter((r) => within(r.promotedAt)).length,
        failed.filter((r) => within(r.promotedAt)).length,
        valid === 0 ? null : goodOf(requests, since).good / valid,
        ...['info', 'warning', 'critical'].map(
          (severity) => opened.filter((i) => i.severity === severity && within(i.opened)).length,
        ),
      ];
    }),
    byModel: byModel.map((row) => [
      row.model,
      row.deployments,
      row.failed,
      row.good,
      row.valid,
      row.up,
      row.whole,
      row.incidents,
      row.automated,
    ]),
  };
}

interface Counted {
  readonly window: WindowDocument;
  readonly valid: number;
  readonly answered: number;
}

function requestsOf(window: WindowDocument): Counted {
  let [valid, answered] = [0, 0];
  for (const { role, requests, errors } of window.cells) {
    if (role === 'shadow') continue;
    valid += requests.split + requests.unsplit + requests.shed;
    answered += requests.split + requests.unsplit + requests.fallback;
    for (const [kind, count] of Object.entries(errors))
      if (kind === 'run-failed' || kind === 'deadline') answered -= count;
  }
  return { window, valid, answered };
}

/** Of each model and day no more are good than there were, and no fewer than none. */
function goodOf(counted: readonly Counted[], since: number): { good: number; valid: number } {
  const days = new Map<string, { answered: number; valid: number }>();
  for (const { window, valid, answered } of counted) {
    const key = `${window.model} ${Math.floor((window.from - since) / DAY)}`;
    const day = days.get(key) ?? { answered: 0, valid: 0 };
    days.set(key, { answered: day.answered + answered, valid: day.valid + valid });
  }
  let [good, all] = [0, 0];
  for (const { answered, valid } of days.values()) {
    good += Math.max(0, Math.min(valid, answered));
    all += valid;
  }
  return { good, valid: all };
}

interface Named {
  model: string;
  number: number;
  ageSeconds: number;
}
const byName = (a: Named, b: Named): number =>
  a.model === b.model ? a.number - b.number : a.model < b.model ? -1 : 1;

const spreadOf = (values: readonly number[]): unknown => [
  values.length,
  quantileByDefinition(values, 0.5),
  quantileByDefinition(values, 0.9),
];
