import type { Command } from 'commander';
import type { Difference } from '../../../contracts/doctor.js';
import { type Examined, examine, lastRound, repair, type Repaired } from '../../doctor.js';
import { TenureError } from '../../errors.js';
import { Exit, type ExitCode } from '../exit.js';
import { examined, noRound, repaired } from '../render/doctor.js';
import type { Scene, Stage } from '../scene.js';

interface Options {
  readonly repair?: boolean;
  readonly yes?: boolean;
  readonly model?: string;
  readonly last?: boolean;
  readonly quick?: boolean;
}

export function addDoctorCommand(program: Command, stage: Stage): void {
  program
    .command('doctor')
    .summary('compare all parts, and mend what differs')
    .description(
      'Compares what workflows, routing tables, gateways, artifacts, registry and ledger say of each model, and names each ' +
        'difference with what to do about it. What differs is looked at twice before it counts, so that what is under way is no ' +
        'difference. With --repair it moves towards the last verified outcome on record, by recorded acts alone; a model whose record ' +
        'is broken is left alone. Exit code 0 when nothing differs any more, 1 when something does, 3 when no worker answered.',
    )
    .option('--repair', 'mend what can be mended, after asking')
    .option('--yes', 'with --repair: do not ask')
    .option('--model <name>', 'this model only')
    .option('--quick', 'leave out events and artifacts that were verified before and have not changed')
    .option('--last', 'show what the last round of the Schedule found instead')
    .addHelpText(
      'after',
      '\nExamples:\n  tenure doctor\n  tenure doctor --model employment --repair --as olga',
    )
    .action(stage.act((scene, _args, options: Options) => doctor(scene, options)));
}

async function doctor(scene: Scene, options: Options): Promise<ExitCode> {
  const { last, quick, model } = options;
  if (last === true) return showLast(scene, options);
  if (options.yes === true && options.repair !== true)
    throw new TenureError('invalid', '--yes goes with --repair');
  const of = { whole: quick !== true, ...(model === undefined ? {} : { model }) };
  const before = await examine(scene.session, of);
  if (options.repair !== true || before.mendable.length === 0) {
    scene.printer.result(before, examined);
    return exitOf(before);
  }
  if (!(await isWanted(scene, options, before))) {
    scene.printer.result(before, examined);
    return Exit.failed;
  }
  const after: Repaired = await repair(scene.session, before.mendable, of);
  scene.printer.result(after, repaired);
  return exitOf(after);
}

async function showLast(scene: Scene, options: Options): Promise<ExitCode> {
  if (options.repair === true) throw new TenureError('invalid', '--last shows only: leave out --repair');
  const found = await lastRound(scene.session);
  if (found === null) {
    scene.printer.result(null, noRound);
    return Exit.fine;
  }
  scene.printer.result(found, examined);
  return exitOf(found);
}

const exitOf = ({ report }: Examined): ExitCode =>
  report.differences.length + report.more === 0 ? Exit.fine : Exit.failed;

/** Asked at the terminal; where nobody can be asked, `--yes` is needed. */
async function isWanted(scene: Scene, { yes }: Options, before: Examined): Promise<boolean> {
  if (yes === true) return true;
  const { printer } = scene;
  printer.progress((style) => examined(before, style));
  const what = before.mendable.map(describe).join('\n');
  return printer.confirm(`\nTo be mended, by recorded acts:\n${what}\nGo on?`);
}

const describe = ({ model, code, subject }: Difference): string =>
  `  ${model}: ${code}${subject === '' ? '' : ` (${subject})`}`;
