import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Lineage } from '../contracts/model.js';
import { TenureError } from './errors.js';

const digest = z.string().regex(/^[0-9a-f]{64}$/, 'needed: 64 lower-case hex digits');
const name = z.string().min(1).max(200);

const schema = z.strictObject({
  trainingDataDigest: digest.optional(),
  codeRevision: name.optional(),
  parentVersion: name.optional(),
  metrics: z.record(z.string().min(1).max(100), z.number()).optional(),
});

/**
 * Reads where a version came from: a JSON object with `trainingDataDigest`, `codeRevision`, `parentVersion` and `metrics`
 * (name to number), each optional.
 * @throws TenureError `invalid` with every field that is wrong
 */
export async function readLineage(file: string): Promise<Lineage> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TenureError('invalid', `${file} cannot be read as JSON: ${reason}`, { cause: error });
  }
  return checkLineage(value, file);
}

/** @param source named in the error */
export function checkLineage(value: unknown, source: string): Lineage {
  const parsed = schema.safeParse(value);
  if (parsed.success)
    // An absent field is absent, not undefined: what is sent is recorded.
    return Object.fromEntries(
      Object.entries(parsed.data).filter(([, field]) => field !== undefined),
    ) as Lineage;
  const problems = parsed.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join('.')}: ${message}`,
  );
  throw new TenureError('invalid', `${source} is no lineage: ${problems.join('; ')}`);
}
