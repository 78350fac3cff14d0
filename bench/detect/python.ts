/** A Python program beside which Tenure is measured, run to its end. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { BenchContext } from '../bench.js';
import { venv } from '../support/venv.js';

/**
 * @param requirements name of the file of pins, without its ending
 * @returns what the program printed as JSON
 * @throws NotMeasurable where its packages cannot be installed
 */
export async function python<T>(
  context: BenchContext,
  { program, requirements }: { readonly program: string; readonly requirements: string },
  args: readonly string[],
  input = '',
): Promise<T> {
  const folder = new URL('../peers/monitoring/', import.meta.url);
  const interpreter = await venv(context, requirements, new URL(`${requirements}.txt`, folder));
  const child = spawn(interpreter, [fileURLToPath(new URL(`${program}.py`, folder)), ...args], {
    cwd: context.folder,
    // Both tools report their use to their makers unless told not to.
    env: {
      PATH: process.env['PATH'],
      HOME: context.folder,
      DO_NOT_TRACK: '1',
      NML_DISABLE_USAGE_LOGGING: '1',
    },
  });
  context.defer(() => child.kill('SIGKILL'));
  const [said, wrong]: Buffer[][] = [[], []];
  child.stdout.on('data', (chunk: Buffer) => said!.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => wrong!.push(chunk));
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const text = Buffer.concat(said!).toString();
  if (code !== 0)
    throw new Error(`${program}.py ended with ${code}: ${Buffer.concat(wrong!).toString().slice(-1_500)}`);
  return JSON.parse(text.trim().split('\n').at(-1) ?? '') as T;
}
