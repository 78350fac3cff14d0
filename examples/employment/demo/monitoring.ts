/** The second part of the story: a feed breaks and recovers, and the world changes. */
import { setTimeout as sleep } from 'node:timers/promises';
import { history } from '../../../src/client/audit.js';
import { applyModelFile, registerFile } from '../../../src/client/models.js';
import { monitored } from '../../../src/client/monitoring.js';
import type { LedgerEvent } from '../../../src/contracts/ledger.js';
import type { Finding } from '../../../src/contracts/monitoring.js';
import type { RequestRow } from '../rows.js';
import { AGE_LIMIT, isAsked, prepareSurvey, recoded, SURVEY } from '../survey.js';
import { askedBy, DRIFT, firstPlace, isFound } from './findings.js';
import { Labels } from './labels.js';
import type { SurveyPace } from './pace.js';
import { alertmanagerShows } from './people.js';
import { Replay } from './replay.js';
import type { Stage } from './stage.js';
import type { Story } from './story.js';

export interface WatchedScene {
  readonly story: Story;
  readonly stage: Stage;
  readonly pace: SurveyPace;
  /** Path of the first version. */
  readonly version: string;
}

/** A window closes, is stored for sure, and a monitor comes by. */
const patience = ({ windowSeconds }: SurveyPace): number => 4 * windowSeconds + 120;

/** Until a window begins. */
const nextWindow = ({ windowSeconds }: SurveyPace): Promise<void> => {
  const length = windowSeconds * 1_000;
  return sleep(length - (Date.now() % length));
};

export interface Watching {
  readonly replay: Replay;
  readonly labels: Labels;
}

/** The survey's model goes into production and is watched. */
export async function watchedModel({ story, stage, pace, version }: WatchedScene): Promise<Watching> {
  story.chapter('A second model, low risk, that is watched');
  const files = await prepareSurvey(stage.folder, version, pace);
  await applyModelFile(stage.session, files.manifest);
  await registerFile(stage.session, SURVEY, 'v1', files.version, { actor: 'ada.moreau' });
  const { release } = await stage.tenure.submitRelease(SURVEY, 'v1', { actor: 'ada.moreau' });
  story.say(
    `real: census rows and labels. Made up: that a survey asks only people under ${AGE_LIMIT}, and so its model knows no others`,
  );
  const labels = new Labels(stage.gatewayUrl, SURVEY, pace.labelsLateSeconds);
  const replay = new Replay(stage.gatewayUrl, {
    model: SURVEY,
    ratePerSecond: pace.ratePerSecond,
    onAnswer: (row: RequestRow) => labels.learn(row),
  });
  replay.feed = (row) => (isAsked(row) ? row : null);
  await until(stage, 'v1 serves', 60, async () => (await stage.tenure.model(SURVEY)).champion !== null);
  replay.start(2017);
  labels.start();
  story.say(
    `real: its users' requests, rows of 2017. Made up: windows of ${pace.windowSeconds} s, an hour outside of a demo, and what was true known ${pace.labelsLateSeconds} s late`,
  );
  const outcome = await stage.tenure.outcome(SURVEY, release);
  story.expect(
    outcome === 'succeeded',
    'v1 of the survey passed its gates and is in production, with nobody asked',
  );
  await until(stage, 'windows are judged', patience(pace), async () => {
    const { health } = await monitored(stage.session, SURVEY, 1);
    return health?.state === 'healthy';
  });
  const { findings } = await monitored(stage.session, SURVEY, 100);
  story.expect(findings.filter(isFound).length === 0, 'its monitors judge each window, and find nothing');
  return { replay, labels };
}

/** A third of the rows come with schooling codes of another list; then the feed is mended. */
export async function brokenFeed({ story, stage, pace }: WatchedScene, { replay }: Watching): Promise<void> {
  story.chapter('A broken feed');
  await nextWindow(pace);
  const broken = Date.now();
  story.say(
    'made up: from now on SCHL of a third of the rows comes recoded, as if its source had changed its list',
  );
  let isBroken = true;
  const mend = (): void => {
    if (!isBroken) return;
    isBroken = false;
    replay.feed = (row) => (isAsked(row) ? row : null);
    story.say('made up: the feed is mended');
  };
  let asked = 0;
  replay.feed = (row) => {
    if (!isAsked(row)) return null;
    asked += 1;
    if (asked === pace.faultRequests) mend();
    return recoded(row);
  };
  const seen = await until(stage, 'the fault is found', patience(pace), async () => {
    const found = (await since(stage, broken)).filter(isFound);
    const kinds = new Set(found.map(({ kind }) => kind));
    return kinds.has('data-quality') && DRIFT.some((kind) => kinds.has(kind)) ? found : null;
  });
  tellFindings(story, seen);
  const quality = firstPlace(seen, ['data-quality'], broken, pace.windowSeconds);
  const drift = firstPlace(seen, DRIFT, broken, pace.windowSeconds);
  story.expect(
    quality.isFirst && drift.isFirst,
    `data quality was found ${quality.words}, and drift ${drift.words}`,
  );
  const letter = await until(stage, 'people are told', 30, async () =>
    stage.people.letters.find(({ model, state }) => model === SURVEY && state === 'firing'),
  );
  const [incident = ''] = letter.key.split('/');
  const { alertmanager } = stage.people;
  const isShown =
    alertmanager === null ||
    (await until(stage, 'Alertmanager shows it', 30, () =>
      alertmanagerShows(alertmanager, { model: SURVEY, key: incident }),
    ).catch(() => false));
  story.expect(
    isShown,
    `${alertmanager === null ? 'the webhook' : `the webhook and Alertmanager (${alertmanager})`} got: ${letter.title}`,
  );
  const opened = await stage.tenure.listIncidents({ model: SURVEY, all: true });
  story.expect(
    opened.length > 0,
    `people are told by incidents: ${opened.map(({ incident, title }) => `${incident}, ${title}`).join('; ')}`,
  );
  mend();
  const told = new Set<number>();
  await until(stage, 'the incidents are resolved', 2 * patience(pace), async () => {
    const rows = await stage.tenure.listIncidents({ model: SURVEY, all: true });
    const over = rows.filter(({ phase }) => phase === 'resolved' || phase === 'over');
    for (const { incident, title } of over) {
      if (!told.has(incident)) story.say(`resolved: ${title}`);
      told.add(incident);
    }
    return rows.length > 0 && over.length === rows.length;
  });
  const hands = await handsSince(stage, broken);
  story.expect(
    hands.length === 0,
    `the incidents resolved themselves once ${pace.clearWindows} windows were clean${but(hands)}`,
  );
  const ended = await until(stage, 'people are told that it is over', 30, async () =>
    stage.people.letters.find(({ key, state }) => key.startsWith(`${incident}/`) && state === 'resolved'),
  );
  story.expect(
    true,
    `and people were told so, ${Math.round((ended.at - letter.at) / 1000)} s after the alarm`,
  );
}

/** Everybody is asked. The estimate falls before any label comes; a better version is trained and promoted by itself. */
export async function realChange(
  { story, stage, pace }: WatchedScene,
  { replay, labels }: Watching,
): Promise<void> {
  story.chapter('The world changes, and the model is replaced by itself');
  const { champion } = await stage.tenure.model(SURVEY);
  await nextWindow(pace);
  replay.goTo(2018);
  replay.feed = (row) => row;
  const changed = Date.now();
  story.say(
    `real: everybody's answers in 2018, and what was true. Made up: that the survey now asks people over ${AGE_LIMIT} too`,
  );
  const estimated = await until(stage, 'the estimate falls', patience(pace), async () =>
    (await since(stage, changed)).find(
      (finding) => finding.kind === 'estimated-performance' && isFound(finding),
    ),
  );
  const known = (await since(stage, changed)).some((finding) => finding.kind === 'measured-performance');
  tellFindings(story, [estimated]);
  story.expect(!known, 'the estimate fell before the labels could say so');
  const { outcome, retrainings } = await until(stage, 'a retraining ends', 180, async () => {
    const retrainings: LedgerEvent[] = [];
    for await (const { event, sentence } of history(stage.session, SURVEY)) {
      if (!event.action.startsWith('retraining.')) continue;
      tellOnce(story, event.id, sentence);
      retrainings.push(event);
      if (event.action === 'retraining.ended')
        return { outcome: event.evidence as { outcome: string; release: number | null }, retrainings };
    }
    return null;
  });
  const asked = askedBy(retrainings, await since(stage, changed), changed);
  story.expect(
    asked !== undefined,
    `the retraining was asked for by a finding of fallen performance since the change${asked === undefined ? '' : `: ${asked.kind}, ${asked.summary}`}`,
  );
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
  const hands = await handsSince(stage, changed);
  story.expect(hands.length === 0, `without a hand on it${but(hands)}`);
  const seen = await replay.stop();
  await labels.stop();
  for (const complaint of seen.complaints) story.say(complaint);
  story.expect(seen.failed === 0, `every one of ${seen.answered} requests was answered`);
  story.expect(
    labels.accepted > 0 && labels.problem === null,
    `${labels.accepted} labels were taken${labels.problem === null ? '' : `, but ${labels.problem}`}`,
  );
}

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

/** What people did in the model's record. */
async function handsSince(stage: Stage, time: number): Promise<readonly string[]> {
  const hands: string[] = [];
  for await (const { event } of history(stage.session, SURVEY))
    if (Date.parse(event.at) > time && event.actor.kind === 'person')
      hands.push(`${event.actor.id}: ${event.action}`);
  return hands;
}

const but = (hands: readonly string[]): string => (hands.length === 0 ? '' : `, but ${hands.join('; ')}`);

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
