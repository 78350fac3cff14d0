import { CommanderError } from 'commander';
import { TenureError } from '../errors.js';
import { Exit, exitCodeOf, type ExitCode } from './exit.js';
import { Printer, type Outputs } from './printer.js';
import { createProgram } from './program.js';
import { type Environment, Stage } from './scene.js';

/**
 * Runs the command once. Never throws: what went wrong is written, and told by the exit code.
 * @param env the process's own when absent
 */
export async function runCommand(
  args: readonly string[],
  outputs: Outputs,
  env?: Environment,
): Promise<ExitCode> {
  const stage = new Stage(outputs, env);
  const options = args.includes('--') ? args.slice(0, args.indexOf('--')) : args;
  const json = options.includes('--json');
  // What commander says to people goes nowhere when a program reads.
  const stderr = json ? { write: () => true } : outputs.stderr;
  const program = createProgram({ stdout: outputs.stdout, stderr }, stage);
  try {
    // Of the program only in the first place: `tenure observe` has a version of its own.
    const given = args[0] === '--version' ? ['-V'] : [...args];
    await program.parseAsync(given, { from: 'user' });
    return stage.exitCode;
  } catch (error) {
    const code = exitCodeOf(error);
    const colour = options.includes('--no-color') ? { colour: false } : {};
    const printer = new Printer(outputs, { json, ...colour });
    if (!(error instanceof CommanderError)) printer.error(error);
    else if (json && code !== Exit.fine) printer.error(usageError(error));
    return code;
  }
}

/** Without commander's own `error: `. */
function usageError({ code, message }: CommanderError): TenureError {
  const text =
    code === 'commander.help' ? 'A command is missing: see `tenure --help`' : message.replace(/^error: /, '');
  return new TenureError('invalid', text);
}
