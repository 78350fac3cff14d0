/** MongoDB cannot be used as it is; the message says what to do next and never holds credentials. */
export class MongoUnusableError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'MongoUnusableError';
  }
}

/** Code of a duplicate key. */
const DUPLICATE_KEY = 11_000;

/** Whether a write was refused because a unique key is already there. */
export const isDuplicateKey = (error: unknown): boolean => codeOf(error) === DUPLICATE_KEY;

/** MongoDB's error code; undefined for errors of other kinds. */
export const codeOf = (error: unknown): number | undefined => {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'number' ? code : undefined;
};

/** Whether all that a bulk write could not do is to write what is there already. */
export function onlyDuplicates(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const failures: unknown = 'writeErrors' in error ? error.writeErrors : undefined;
  if (!Array.isArray(failures) || failures.length === 0) return isDuplicateKey(error);
  return failures.every((failure: unknown) => (failure as { code?: unknown }).code === DUPLICATE_KEY);
}
