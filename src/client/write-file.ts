import { writeFile } from 'node:fs/promises';
import { TenureError } from './errors.js';

/** Writes what a command was asked to write. @throws TenureError `refused` with the reason of the system */
export async function writeOutput(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TenureError('refused', `${file} cannot be written: ${reason}`, { cause: error });
  }
}
