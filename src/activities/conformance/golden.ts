import { z } from 'zod';

/** Rows recorded at validation: inputs as the Open Inference Protocol has them, and the score that the version gave offline. */
const goldenSchema = z.object({
  rows: z
    .array(
      z.object({
        inputs: z.array(z.looseObject({ name: z.string() })).min(1),
        score: z.array(z.number()).min(1),
      }),
    )
    .min(1)
    .max(10_000),
});

export type GoldenRow = z.infer<typeof goldenSchema>['rows'][number];

/** @throws Error that names the first bad field */
export function readGolden(text: string): readonly GoldenRow[] {
  const parsed = goldenSchema.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data.rows;
  const [issue] = parsed.error.issues;
  throw new Error(`${issue?.path.join('.') ?? 'the document'}: ${issue?.message ?? 'not golden rows'}`);
}

export interface Difference {
  readonly gateway: string;
  /** 0-based. */
  readonly row: number;
  /** Largest difference of the row's scores; infinite when the answer is none. */
  readonly difference: number;
  /** What was served instead, in words. */
  readonly why: string;
}

/** Compares a served score with the offline one. A missing, extra or non-finite value is as different as can be. Pure. */
export function compareScores(
  offline: readonly number[],
  served: unknown,
): Pick<Difference, 'difference' | 'why'> {
  if (!Array.isArray(served) || served.length !== offline.length) {
    const got = Array.isArray(served) ? `${served.length} values` : 'no score';
    return { difference: Number.POSITIVE_INFINITY, why: `${got} instead of ${offline.length}` };
  }
  let worst = { difference: 0, why: 'equal' };
  offline.forEach((wanted, i) => {
    const value: unknown = served[i];
    const difference =
      typeof value === 'number' && Number.isFinite(value)
        ? Math.abs(value - wanted)
        : Number.POSITIVE_INFINITY;
    if (difference > worst.difference) worst = { difference, why: `${String(value)} instead of ${wanted}` };
  });
  return worst;
}
