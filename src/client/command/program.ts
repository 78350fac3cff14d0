import { Argument, Command } from 'commander';
import { addBackupCommands } from './commands/backup.js';
import { addDoctorCommand } from './commands/doctor.js';
import { addIncidentCommands } from './commands/incident.js';
import { addModelCommands } from './commands/model.js';
import { addObserveCommands } from './commands/observe.js';
import { addGatewayCommands, addLedgerCommands } from './commands/record.js';
import { addReportCommands } from './commands/report.js';
import { addReleaseCommands } from './commands/release.js';
import { addUpCommand } from './commands/up.js';
import { addVersionCommands } from './commands/version.js';
import { completionScript, SHELLS, type Shell } from './completion.js';
import type { Outputs } from './printer.js';
import { seconds, type Stage } from './scene.js';

const VERSION = '0.1.0';

/** The whole command; `run.ts` runs it. */
export function createProgram(outputs: Outputs, stage: Stage): Command {
  const program = new Command('tenure')
    .description('Brings machine-learning models into production and keeps them healthy there.')
    .version(VERSION, '-V', 'the version of this program (also: --version)')
    .option('--json', 'one JSON document on stdout, also for errors')
    .option('--as <name>', 'who acts (default: TENURE_USER, else the user)')
    .option('--timeout <seconds>', 'how long to wait for a worker to answer (default: 60)', seconds)
    .option('--no-color', 'no colours (also: NO_COLOR)')
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .configureOutput({
      writeOut: (text) => void outputs.stdout.write(text),
      // With --json the error is a document, written in one place.
      writeErr: (text) => void outputs.stderr.write(text),
      getOutHelpWidth: () => outputs.stdout.columns ?? 100,
      getErrHelpWidth: () => outputs.stderr.columns ?? 100,
    })
    .showSuggestionAfterError()
    .showHelpAfterError('(--help says what there is)')
    .exitOverride()
    .addHelpText(
      'after',
      '\nExit codes: 0 fine; 1 failed, refused or rolled back; 2 wrong usage or manifest; 3 not reachable.' +
        '\nSettings are taken from the environment: TEMPORAL_ADDRESS, MONGODB_URI, TENURE_HOME and others.',
    );
  addUpCommand(program, stage);
  addModelCommands(program, stage);
  addVersionCommands(program, stage);
  addReleaseCommands(program, stage);
  addObserveCommands(program, stage);
  addIncidentCommands(program, stage);
  addGatewayCommands(program, stage);
  addLedgerCommands(program, stage);
  addReportCommands(program, stage);
  addBackupCommands(program, stage);
  addDoctorCommand(program, stage);
  program
    .command('completion')
    .summary('print a completion script for a shell')
    .description('Prints a completion script. For bash, e.g.: source <(tenure completion bash)')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .action(
      stage.act(async (scene, [shell]) => {
        scene.printer.result(completionScript(program, shell as Shell), (script) => script);
      }),
    );
  return program;
}
