/** The second part of the story: a feed breaks and recovers, and the world changes. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { history } from '../../../src/client/audit.js';
import { loadConfig } from '../../../src/config.js';
import { applyModelFile, registerFile } from '../../../src/client/models.js';
import { monitored } from '../../../src/client/monitoring.js';
import { fleetReport } from '../../../src/client/reports.js';
import type { Finding } from '../../../src/contracts/monitoring.js';
import { reportPage } from '../../../src/report/html/report-page.js';
import type { RequestRow } from '../rows.js';
import { AGE_LIMIT, isAsked, prepareSurvey, recoded, SURVEY, WINDOW_SECONDS } from '../survey.js';
import { Labels } from './labels.js';
import { Replay } from './replay.js';
import type { Stage } from './stage.js';
import type { Story } from './story.js';

export interface WatchedScene {
  readonly story: Story;
  readonly stage: Stage;
}

const LABELS_LATE_SECONDS = 25;
const RATE = 300;
/** A window closes, is stored for sure, and a monitor comes by. */
const PATIENCE_SECONDS = 4 * WINDOW_SECONDS + 60;

export interface Watching {
  readonly replay: Replay;
  readonly labels: Labels;
}

/** The survey's model goes into production and is watched. */
export async function watchedModel({ story, stage }: WatchedScene): Promise<Watching> {
  story.chapter('7. A second model, low risk, that is watched');
  const model = await prepareSurvey(stage.folder);
  await applyModelFile(stage.session, model.manifest);
  await registerFile(stage.session, SURVEY, 'v1', model.version, { actor: 'ada.moreau' });
  const { release } = await stage.tenure.submitRelease(SURVEY, 'v1', { actor: 'ada.moreau' });
  story.say(
    `real: census rows and labels. Made up: that a survey asks only people under ${AGE_LIMIT}, and so its model knows no others`,
  );
  const labels = new Labels(stage.gatewayUrl, SURVEY, LABELS_LATE_SECONDS);
  const replay = new Replay(stage.gatewayUrl, {
    model: SURVEY,
    ratePerSecond: RATE,
    onAnswer: (row: RequestRow) => labels.learn(row),
  });
  replay.feed = (row) => (isAsked(row) ? row : null);
  await until(stage, 'v1 serves', 60, async () => (await stage.tenure.model(SURVEY)).champion !== null);
  replay.start(2017);
  const outcome = await stage.tenure.outcome(SURVEY, release);
  story.expect(
    outcome === 'succeeded',
    'v1 of the survey passed its gates and is in production, with nobody asked',
  );
  story.say(`rows of 2017 are replayed; windows are ${WINDOW_SECONDS} s long, an hour outside of a demo`);
  await until(stage, 'windows are judged', PATIENCE_SECONDS, async () => {
    const { health } = await monitored(stage.session, SURVEY, 1);
    return health?.state === 'healthy';
  });
  const { findings } = await monitored(stage.session, SURVEY, 100);
  story.expect(findings.filter(isFound).length === 0, 'its monitors judge each window, and find nothing');
  return { replay, labels };
}

/** A third of the rows come with schooling codes of another list; then the feed is mended. */
export async function brokenFeed({ story, stage }: WatchedScene, { replay }: Watching): Promise<void> {
  story.chapter('8. A broken feed');
  replay.feed = (row) => (isAsked(row) ? recoded(row) : null);
  const broken = Date.now();
  story.say(
    'made up: from now on SCHL of a third of the rows comes recoded, as if its source had changed its list',
  );
  const seen = await until(stage, 'the fault is found', PATIENCE_SECONDS, async () => {
    const found = (await since(stage, broken)).filter(isFound);
    const kinds = new Set(found.map(({ kind }) => kind));
    return kinds.has('data-quality') && (kinds.has('data-drift') || kinds.has('skew')) ? found : null;
  });
  tellFindings(story, seen);
  const first = Math.min(...seen.map(({ window }) => Date.parse(window.from)));
  story.expect(
    first - broken <= WINDOW_SECONDS * 1000,
    `data quality and drift were found in the ${first < broken ? 'window of the fault' : 'first window after the fault'}`,
  );
  const letter = await until(stage, 'people are told', 30, async () =>
    stage.people.letters.find(({ model, state }) => model === SURVEY && state === 'firing'),
  );
  story.say(
    `${stage.people.alertmanager === null ? 'the webhook' : `Alertmanager (${stage.people.alertmanager}) and the webhook`} got: ${letter.title}`,
  );
  const open = (await stage.tenure.model(SURVEY)).incidents ?? [];
  story.expect(open.length > 0, `an incident is open: ${open.map(({ cause }) => cause).join(', ')}`);
  replay.feed = (row) => (isAsked(row) ? row : null);
  story.say('the feed is mended');
  await until(stage, 'the incidents are resolved', 2 * PATIENCE_SECONDS, async () => {
    const rows = await stage.tenure.listIncidents({ model: SURVEY, all: true });
    return rows.length > 0 && rows.every(({ phase }) => phase === 'resolved' || phase === 'over');
  });
  story.expect(true, 'the incidents resolved themselves once two windows were clean');
}

/** Everybody is asked. The estimate falls before any label comes; a better version is trained and promoted by itself. */
export async function realChange(
  { story, stage }: WatchedScene,
  { replay, labels }: Watching,
): Promise<void> {
  story.chapter('9. The world changes, and the model is replaced by itself');
  const { champion } = await stage.tenure.model(SURVEY);
  replay.feed = (row) => row;
  labels.start();
  const changed = Date.now();
  story.say(
    `real: everybody's answers, and what was true. Made up: that the survey now asks people over ${AGE_LIMIT} too. Labels come ${LABELS_LATE_SECONDS} s late`,
  );
  const estimated = await until(stage, 'the estimate falls', PATIENCE_SECONDS, async () =>
    (await since(stage, changed)).find(
      (finding) => finding.kind === 'estimated-performance' && isFound(finding),
    ),
  );
  const known = (await since(stage, changed)).some((finding) => finding.kind === 'measured-performance');
  tellFindings(story, [estimated]);
  story.expect(!known, 'the estimate fell before the labels could say so');
  const outcome = await until(stage, 'a retraining ends', 180, async () => {
    for await (const { event, sentence } of history(stage.session, SURVEY)) {
      if (event.action.startsWith('retraining.')) tellOnce(story, event.id, sentence);
      if (event.action === 'retraining.ended')
        return event.evidence as { outcome: string; release: number | null };
    }
    return null;
  });
  story.expect(
    outcome.outcome === 'submitted' && outcome.release !== null,
    `a challenger was trained on labelled rows, beat the champion on recent ones, and is release ${outcome.release}`,
  );
  const ended = await stage.tenure.outcome(SURVEY, outcome.release ?? 0);
  const { champion: now } = await stage.tenure.model(SURVEY);
  story.expect(
    ended === 'succeeded' && now !== null && now.digest !== champion?.digest,
    `${now?.version} went through gates and canary into production`,
  );
  const hands: string[] = [];
  for await (const { event } of history(stage.session, SURVEY))
    if (Date.parse(event.at) > changed && event.actor.kind === 'person')
      hands.push(`${event.actor.id}: ${event.action}`);
  story.expect(
    hands.length === 0,
    `without a hand on it${hands.length === 0 ? '' : `, but ${hands.join('; ')}`}`,
  );
  story.expect(replay.seen.failed === 0, 'every request was answered');
}

export async function theFigures(
  { story, stage }: WatchedScene,
  { replay, labels }: Watching,
): Promise<void> {
  story.chapter('10. The figures');
  await Promise.all([replay.stop(), labels.stop()]);
  const end = new Date();
  const report = await fleetReport(stage.session, {
    since: new Date(end.getTime() - 24 * 3_600_000).toISOString(),
    until: end.toISOString(),
    model: null,
    team: null,
  });
  // Not in the demo's own folder, which goes with it.
  const { home } = loadConfig();
  const file = join(home, 'demo-report.html');
  await mkdir(home, { recursive: true });
  await writeFile(file, reportPage(report, end.toISOString()));
  story.expect(true, `tenure report --html: ${file}`);
}

const isFound = ({ verdict }: Finding): boolean => verdict === 'found';

const since = async (stage: Stage, time: number): Promise<readonly Finding[]> =>
  (await monitored(stage.session, SURVEY, 100)).findings.filter(
    ({ detectedAt }) => Date.parse(detectedAt) >= time,
  );

function tellFindings(story: Story, findings: readonly Finding[]): void {
  for (const { kind, severity, summary, onset } of findings)
    story.say(
      `${severity}, ${kind}: ${summary}${onset === null ? '' : ` (since about ${onset.estimate.slice(11, 19)})`}`,
    );
}

const TOLD = new Set<string>();

function tellOnce(story: Story, id: string, text: string): void {
  if (TOLD.has(id)) return;
  TOLD.add(id);
  story.say(text);
}

/** Asks again until there is something. @throws Error when there is nothing for so long */
async function until<T>(
  { folder }: Stage,
  what: string,
  seconds: number,
  ask: () => Promise<T | null | undefined | false>,
): Promise<T> {
  const end = Date.now() + seconds * 1_000;
  for (;;) {
    const found = await ask();
    if (found !== null && found !== undefined && found !== false) return found;
    if (Date.now() > end) throw new Error(`${what}: not within ${seconds} s; the logs are in ${folder}`);
    await sleep(500);
  }
}
