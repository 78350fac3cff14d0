/** The demo: `npm run demo` keeps the stack up for looking around until Ctrl-C, `npm run demo -- --exit` ends it. */
import { uiLink } from '../../src/contracts/ui.js';
import { ensureModels } from './models.js';
import { betterVersion, brokenVersion, firstVersion, ownApprovalAndKill, theRecord } from './demo/scenes.js';
import { brokenFeed, realChange, theFigures, watchedModel } from './demo/monitoring.js';
import { buildStage, type Stage } from './demo/stage.js';
import { Story } from './demo/story.js';

const USAGE = `Usage: npm run demo [-- --exit] [--fast]

Runs the employment example on real data, with a real Temporal server, MongoDB, worker and gateway on this machine: four
versions of a model through validation, approval, canary, promotion and rollback; then a second model that is watched: a
feed that breaks and recovers, and a change of the world after which the model is retrained and replaced by itself.
Five minutes.

  --fast   the first part only, two minutes
  --exit   end everything when the story is told (default: keep it up until Ctrl-C)
`;

async function main(args: readonly string[]): Promise<number> {
  const unknown = args.find((arg) => !['--exit', '--fast', '--help'].includes(arg));
  if (unknown !== undefined || args.includes('--help')) {
    process.stdout.write(unknown === undefined ? USAGE : `Unknown option ${unknown}\n\n${USAGE}`);
    return unknown === undefined ? 0 : 2;
  }
  const story = new Story();
  story.chapter('Setting the stage: models are trained, the stack starts');
  const [models, stage] = await Promise.all([
    ensureModels({
      onTrained: (model) => story.say(`trained ${model.version}: ${model.bytes} bytes of ONNX`),
    }),
    buildStage(story),
  ]);
  try {
    story.say(`Temporal UI ${stage.stack.temporalUiUrl ?? '(your own)'}   gateway ${stage.gatewayUrl}`);
    const tell = async (): Promise<void> => {
      const scene = { story, stage, models };
      const replay = await firstVersion(scene);
      await betterVersion(scene);
      await brokenVersion(scene, replay);
      await ownApprovalAndKill(scene);
      await theRecord(scene, replay);
      if (args.includes('--fast')) return;
      const watching = await watchedModel(scene);
      await brokenFeed(scene, watching);
      await realChange(scene, watching);
      await theFigures(scene, watching);
    };
    await Promise.race([tell(), interrupted.then((signal) => Promise.reject(new Error(signal)))]);
    showAround(story, stage);
    if (!args.includes('--exit')) {
      sayHowToEnd(story, stage);
      await interrupted;
    }
  } catch (error) {
    story.expect(false, `the story went on: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    await stage.close(story.broken.length > 0);
    if (story.broken.length > 0) process.stderr.write(`The logs are in ${stage.folder}\n`);
  }
  for (const promise of story.broken) process.stderr.write(`Not kept: ${promise}\n`);
  return story.broken.length === 0 ? 0 : 1;
}

function showAround(story: Story, { stack, session }: Stage): void {
  const ui = stack.temporalUiUrl;
  if (ui === null) return;
  const filter = (query: string): string => uiLink(ui, session.config.namespace, query);
  story.chapter(`The story took ${story.seconds} s. Look around:`);
  story.say(`all of employment:   ${filter('TenureModel="employment"')}`);
  story.say(`rolled back:         ${filter('TenureStage="rolled-back"')}`);
  story.say(`waiting for people:  ${filter('TenureStage="awaiting-approval"')}`);
}

function sayHowToEnd(story: Story, { folder, stack }: Stage): void {
  story.say(`the command against this stack:  TENURE_HOME=${folder} npx tenure model show employment`);
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
