/** The demo: `npm run demo` keeps the stack up for looking around until Ctrl-C, `npm run demo -- --exit` ends it. */
import { uiLink } from '../../src/contracts/ui.js';
import { ensureModels } from './models.js';
import { ensureSurveyModel } from './survey.js';
import { theFigures } from './demo/figures.js';
import { brokenFeed, realChange, watchedModel, type WatchedScene } from './demo/monitoring.js';
import { FAST, WHOLE, type Pace } from './demo/pace.js';
import {
  betterVersion,
  brokenVersion,
  firstVersion,
  ownApprovalAndKill,
  theRecord,
  type Scene,
} from './demo/scenes.js';
import { buildStage, type Stage } from './demo/stage.js';
import { Story } from './demo/story.js';

const USAGE = `Usage: npm run demo [-- --exit] [--fast]

Runs the employment example on real data, with a real Temporal server, MongoDB, worker and gateway on this machine: four
versions of a model through validation, approval, canary, promotion and rollback; then a second model that is watched: a
feed that breaks and recovers, and a change of the world after which the model is retrained and replaced by itself.
Four to five minutes. Says what is real and what is made up, checks what it promises, and ends with code 1 when a promise is
not kept.

  --fast   the same in two minutes: both models at once, three versions, shorter windows; it says what is shortened
  --exit   end everything when the story is told (default: keep it up until Ctrl-C)
`;

async function main(args: readonly string[]): Promise<number> {
  const unknown = args.find((arg) => !['--exit', '--fast', '--help'].includes(arg));
  if (unknown !== undefined || args.includes('--help')) {
    process.stdout.write(unknown === undefined ? USAGE : `Unknown option ${unknown}\n\n${USAGE}`);
    return unknown === undefined ? 0 : 2;
  }
  const pace = args.includes('--fast') ? FAST : WHOLE;
  const story = new Story();
  story.heading('Setting the stage: models are trained unless they were before, the stack starts');
  for (const what of pace.shortened) story.say(`--fast: ${what}`);
  const building = buildStage(story, pace);
  // It is waited for below; until then its failure is nobody's.
  building.catch(() => undefined);
  try {
    // The second story is the longer one: its model is trained first.
    const version = await ensureSurveyModel();
    const models = await ensureModels({
      versions: pace.versions,
      onTrained: (model) => story.say(`trained ${model.version}: ${model.bytes} bytes of ONNX`),
    });
    const stage = await building;
    story.say(`Temporal UI ${stage.stack.temporalUiUrl ?? '(your own)'}   gateway ${stage.gatewayUrl}`);
    const lane = (name: string): Story => (pace.together ? story.lane(name) : story);
    const first = { story: lane('employment'), stage, models, pace: pace.employment };
    const second = { story: lane('survey'), stage, version, pace: pace.survey };
    await Promise.race([
      tell(story, pace, first, second),
      interrupted.then((signal) => Promise.reject(new Error(signal))),
    ]);
    lookBack(story);
    showAround(story, stage);
    if (!args.includes('--exit')) {
      sayHowToEnd(story, stage);
      await interrupted;
    }
  } catch (error) {
    story.expect(false, `the story went on: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    await end(story, building);
  }
  for (const promise of story.broken) process.stderr.write(`Not kept: ${promise}\n`);
  return story.broken.length === 0 ? 0 : 1;
}

/** Ends all that was started; the folder stays when something went wrong, for finding out what. */
async function end(story: Story, building: Promise<Stage>): Promise<void> {
  // One that could not be built has ended by itself.
  const stage = await building.catch(() => null);
  if (stage === null) return;
  await stage.close(story.broken.length > 0);
  if (story.broken.length > 0) process.stderr.write(`The logs are in ${stage.folder}\n`);
}

async function tell(story: Story, pace: Pace, first: Scene, second: WatchedScene): Promise<void> {
  if (pace.together) await Promise.all([released(first, pace), watched(second)]);
  else {
    await released(first, pace);
    await watched(second);
  }
  // All of the first model but the one that is taken back; the second's first, and the one that replaces it.
  await theFigures(story, first.stage, pace.versions.length - 1 + 2);
  story.end();
}

/** The first model: its versions, the good, the bad, and the one whose worker is killed. */
async function released(scene: Scene, { versions }: Pace): Promise<void> {
  const replay = await firstVersion(scene);
  await betterVersion(scene);
  await brokenVersion(scene, replay);
  if (versions.includes('v4')) await ownApprovalAndKill(scene);
  await theRecord(scene, replay);
  scene.story.end();
}

/** The second model: a feed that breaks, a world that changes. */
async function watched(scene: WatchedScene): Promise<void> {
  const watching = await watchedModel(scene);
  await brokenFeed(scene, watching);
  await realChange(scene, watching);
  scene.story.end();
}

function lookBack(story: Story): void {
  story.heading(`The story took ${story.seconds} s, of these`);
  for (const { title, lane, from, to } of story.chapters)
    story.say(
      `${String((to ?? story.seconds) - from).padStart(4)} s  ${title}${lane === '' ? '' : ` (${lane})`}`,
    );
  const kept = story.promised - story.broken.length;
  story.say(`${kept} of ${story.promised} promises were kept`);
}

function showAround(story: Story, { stack, session }: Stage): void {
  const ui = stack.temporalUiUrl;
  if (ui === null) return;
  const filter = (query: string): string => uiLink(ui, session.config.namespace, query);
  story.heading('Look around:');
  story.say(`all of employment:   ${filter('TenureModel="employment"')}`);
  story.say(`rolled back:         ${filter('TenureStage="rolled-back"')}`);
  story.say(`monitors:            ${filter('WorkflowType="monitorShard"')}`);
  story.say(`incidents:           ${filter('WorkflowType="incident"')}`);
  story.say(`retrainings:         ${filter('WorkflowType="modelRetraining"')}`);
}

function sayHowToEnd(story: Story, { folder, stack }: Stage): void {
  story.say(`the command against this stack:  TENURE_HOME=${folder} npx tenure model show employment`);
  story.say(`                                 TENURE_HOME=${folder} npx tenure model findings survey`);
  story.say(`MongoDB: ${stack.mongodbUri}`);
  story.say('Ctrl-C ends it');
}

/** A terminal's Ctrl-C comes from the terminal and once more from npm. */
const SAME_MS = 2_000;

/** Also when the terminal is closed: servers that nobody stops would run on. A second signal, later, ends the process at once. */
const interrupted = new Promise<string>((resolve) => {
  let first: number | null = null;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      first ??= performance.now();
      if (performance.now() - first > SAME_MS) process.exit(1);
      resolve(signal);
    });
});

// What of the story is still under way after an interruption is not waited for.
process.exit(await main(process.argv.slice(2)));
