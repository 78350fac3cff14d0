import { createInterface } from 'node:readline/promises';
import { TenureError } from '../errors.js';

/** Where answers come from. */
export type Input = NodeJS.ReadableStream & { readonly isTTY?: boolean };

/**
 * Asks somebody at the terminal. Anything but yes is no.
 * @throws TenureError `invalid` where nobody can be asked
 */
export async function confirm(
  stdin: Input | undefined,
  stderr: { write(text: string): unknown },
  question: string,
): Promise<boolean> {
  if (stdin?.isTTY !== true)
    throw new TenureError('invalid', 'Nobody can be asked here: repeat it with --yes, or at a terminal');
  stderr.write(`${question} [y/N] `);
  const lines = createInterface({ input: stdin });
  try {
    for await (const line of lines) return /^y(es)?$/i.test(line.trim());
    return false;
  } finally {
    lines.close();
  }
}
