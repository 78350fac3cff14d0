import type { Command } from 'commander';
import { TenureError } from '../../errors.js';
import type { Tenure } from '../../tenure.js';
import { lookAtRelease, type ReleaseSight, watchRelease } from '../../watch.js';
import { type ExitCode, exitCodeOfRelease } from '../exit.js';
import { progressLines } from '../render/progress.js';
import { releaseFrame } from '../render/release.js';
import { type Scene, someText, type Stage, wholeNumber } from '../scene.js';
import { printable } from '../style.js';

export function addReleaseCommands(program: Command, stage: Stage): void {
  const release = program
    .command('release')
    .summary('start, watch, decide on and abort releases')
    .description(
      'Attempts to bring a version to production: validate, approve, deploy, canary, promote, soak; or roll back.\n' +
        'Where a release number can be left out, the release in flight is meant, else the newest.',
    );

  release
    .command('start')
    .summary('start a release of a version')
    .description(
      'Starts a release of a registered version. One is in flight a model; others queue.\n' +
        'With --wait it shows a line per change and ends with the release: exit code 0 when it succeeded, else 1.',
    )
    .argument('<model>')
    .argument('<version>')
    .option('--supersede', 'replace queued releases, and one in flight that has not started its canary')
    .option('--wait', 'wait until the release has ended, for CI jobs')
    .addHelpText('after', '\nExample:\n  tenure release start employment v2 --wait')
    .action(
      stage.act(
        async (scene, [model = '', version = ''], options: { supersede?: boolean; wait?: boolean }) => {
          const tenure = await scene.tenure();
          const started = await tenure.submitRelease(model, version, {
            supersede: options.supersede === true,
          });
          const { release: number, queued } = started;
          if (options.wait === true) {
            scene.printer.progress(`release ${number} of ${model} ${queued ? 'is queued' : 'has started'}`);
            return follow(scene, tenure, model, number);
          }
          scene.printer.result({ model, version, ...started }, (done, style) =>
            [
              `${style.green(done.queued ? 'queued' : 'started')}: release ${done.release} of ${done.model} ${done.version}`,
              `Watch it: tenure release watch ${done.model} ${done.release}`,
            ].join('\n'),
          );
        },
      ),
    );

  release
    .command('status')
    .summary('show where a release stands')
    .description('Shows the stage, what it waits for, gates, the verdict table, and who may decide.')
    .argument('<model>')
    .argument('[number]', 'which release', wholeNumber)
    .action(
      stage.act(async (scene, [model = '', number]) => {
        const tenure = await scene.tenure();
        const sight = await lookAtRelease(tenure, model, await numberOf(tenure, model, number));
        scene.printer.result(sight, releaseFrame);
      }),
    );

  release
    .command('watch')
    .summary('watch a release until it ends')
    .description(
      'Shows the same as `status`, redrawn as it changes, until the release has ended. Without a terminal: a line per change.\n' +
        'Exit code 0 when it succeeded, else 1. Ctrl-C stops watching, not the release.',
    )
    .argument('<model>')
    .argument('[number]', 'which release', wholeNumber)
    .action(
      stage.act(async (scene, [model = '', number]) => {
        const tenure = await scene.tenure();
        return watch(scene, tenure, model, await numberOf(tenure, model, number));
      }),
    );

  addDecisions(release, stage);
  addInterventions(release, stage);
}

function addDecisions(release: Command, stage: Stage): void {
  const decisions = [
    ['approve', 'approve', 'approve what a release waits for', 'Approves', {}],
    ['reject', 'reject', 'reject what a release waits for', 'Rejects', {}],
    [
      'promote',
      'approve',
      'decide for promotion',
      'Submits a decision for the promotion of',
      { gate: 'beforePromote' },
    ],
  ] as const;
  for (const [name, decision, summary, verb, bound] of decisions)
    release
      .command(name)
      .summary(summary)
      .description(
        (name === 'promote'
          ? `${verb} a release that waits for it: an approval before promotion, or of a canary that is held.\n` +
            'It promotes nothing by itself: the release goes on when its quorum is reached.\n'
          : `${verb} a release at the point that it waits at.\n`) +
          'The decision is bound to the artifact and the evidence that the release shows now: read `tenure release status` first.\n' +
          'A refused decision is recorded with the reason, and the exit code is 1.',
      )
      .argument('<model>')
      .argument('[number]', 'which release', wholeNumber)
      .requiredOption('--reason <text>', 'why, for the record', someText)
      .addHelpText(
        'after',
        `\nExample:\n  tenure release ${name} employment 2 --as beatrice.mensah --reason "report read"`,
      )
      .action(
        stage.act(async (scene, [model = '', given], { reason }: { reason: string }) => {
          const tenure = await scene.tenure();
          const number = await numberOf(tenure, model, given);
          const approver = scene.session.actor;
          const outcome = await tenure.decide(model, number, { decision, approver, reason, ...bound });
          const { stage: now, waitingFor } = await tenure.release(model, number);
          const done = { model, release: number, decision, approver, ...outcome, stage: now, waitingFor };
          scene.printer.result(done, (shown, style) =>
            [
              `${style.green('accepted')}: ${shown.decision} by ${shown.approver} for release ${shown.release} of ${shown.model}`,
              `It is ${shown.stage} now, waiting for ${shown.waitingFor}`,
            ].join('\n'),
          );
        }),
      );
}

function addInterventions(release: Command, stage: Stage): void {
  release
    .command('abort')
    .summary('end a release')
    .description(
      'Ends a release at whatever point it is: the former champion serves. It returns when the order is taken.',
    )
    .argument('<model>')
    .argument('[number]', 'which release', wholeNumber)
    .requiredOption('--reason <text>', 'why, for the record', someText)
    .action(
      stage.act(async (scene, [model = '', given], { reason }: { reason: string }) => {
        const tenure = await scene.tenure();
        const number = await numberOf(tenure, model, given);
        await tenure.abort(model, number, { reason });
        scene.printer.result(
          { model, release: number, aborting: true },
          (done, style) =>
            `${style.green('aborting')}: release ${done.release} of ${done.model}; see \`tenure release watch ${done.model} ${done.release}\``,
        );
      }),
    );

  release
    .command('retry')
    .summary('try again at once what is parked')
    .description(
      'A release parks when an act fails again and again, and tries again now and then. This tries again at once.',
    )
    .argument('<model>')
    .argument('[number]', 'which release', wholeNumber)
    .action(
      stage.act(async (scene, [model = '', given]) => {
        const tenure = await scene.tenure();
        const number = await numberOf(tenure, model, given);
        await tenure.retry(model, number);
        scene.printer.result(
          { model, release: number, retrying: true },
          (done, style) => `${style.green('trying again')}: release ${done.release} of ${done.model}`,
        );
      }),
    );
}

/** Commander has made a number of it. */
const numberOf = async (tenure: Tenure, model: string, given: unknown): Promise<number> =>
  typeof given === 'number' ? given : tenure.currentRelease(model);

async function watch(scene: Scene, tenure: Tenure, model: string, release: number): Promise<ExitCode> {
  const canvas = scene.printer.canvas();
  if (canvas === null) return follow(scene, tenure, model, release);
  let last: ReleaseSight | undefined;
  for await (const sight of watchRelease(tenure, model, release)) {
    last = sight;
    canvas.draw((style) => releaseFrame(shown(sight), style));
  }
  return exitCodeOfRelease(seen(last));
}

/** A line per change on stderr, and where it ended on stdout. */
async function follow(scene: Scene, tenure: Tenure, model: string, release: number): Promise<ExitCode> {
  let last: ReleaseSight | null = null;
  for await (const sight of watchRelease(tenure, model, release)) {
    for (const line of progressLines(last, sight)) scene.printer.progress(line);
    last = sight;
  }
  const end = seen(last);
  scene.printer.result(end, releaseFrame);
  return exitCodeOfRelease(end);
}

const shown = (sight: ReleaseSight): ReleaseSight => printable(sight);

function seen(sight: ReleaseSight | null | undefined): ReleaseSight {
  if (sight === null || sight === undefined)
    throw new TenureError('unreachable', 'Nothing was seen of the release');
  return sight;
}
