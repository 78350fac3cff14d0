import { z } from 'zod';
import { canonicalHash } from '../ledger/index.js';
import { BackupError } from './errors.js';

/** Read and written by this program. Another number is another form: such a backup is refused. */
export const FORMAT = 1;

/** Its presence is what makes a folder a backup. */
export const MANIFEST_FILE = 'backup.json';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().min(0);
const inside = z.string().regex(/^(?!\/)(?!.*(?:^|\/)\.\.(?:\/|$)).+$/, 'must be a path within the folder');

const file = z.strictObject({ path: inside, bytes: count, sha256 });
const head = z.strictObject({ sequence: count, hash: z.string() });
const bad = z.strictObject({
  stream: z.string(),
  sequence: z.number(),
  kind: z.string(),
  id: z.string().nullable(),
  detail: z.string(),
});

const collection = z.strictObject({
  name: z.string().min(1),
  file,
  documents: count,
  /** SHA-256 of the documents' BSON, one after the other: what a restored collection must read as. */
  content: sha256,
});

const schema = z.strictObject({
  format: z.literal(FORMAT),
  /** ISO 8601, UTC; the clock of the machine that made it. */
  createdAt: z.string(),
  database: z.strictObject({
    name: z.string(),
    /** MongoDB's time at which all collections were read, ISO 8601. */
    readAt: z.string(),
    /** Options and indexes of the collections. */
    forms: file,
    collections: z.array(collection),
    /** Schema version and revision by collection. */
    schema: z.record(z.string(), z.strictObject({ version: count, revision: count })),
  }),
  ledger: z.strictObject({
    events: count,
    /** The newest event of each stream. */
    heads: z.record(z.string(), head),
    /** The first bad event of each stream: it was so in the database. */
    bad: z.array(bad),
  }),
  artifacts: z.strictObject({
    /** One line an artifact, as `sha256sum` writes and checks it. */
    list: file,
    count,
    bytes: count,
  }),
  temporal: z.discriminatedUnion('included', [
    z.strictObject({
      included: z.literal(true),
      namespace: z.string(),
      taskQueue: z.string(),
      files: z.array(file),
      /** How long the server was stopped for it, milliseconds; null when it did not run. */
      pausedMs: z.number().nullable(),
    }),
    z.strictObject({
      included: z.literal(false),
      namespace: z.string(),
      taskQueue: z.string(),
      why: z.string(),
    }),
  ]),
  notIncluded: z.array(z.strictObject({ what: z.string(), why: z.string() })),
  /** What was wrong with what was backed up; the backup holds it as it was. */
  problems: z.array(z.string()),
});

export type BackupContent = z.infer<typeof schema>;
export type BackupFile = z.infer<typeof file>;
export type BackedUpCollection = z.infer<typeof collection>;

/** What a backup says of itself. */
export interface BackupManifest extends BackupContent {
  /** Hash of all the rest in its canonical form: the backup's identity. */
  readonly digest: string;
}

export const sealManifest = (content: BackupContent): BackupManifest => ({
  ...content,
  digest: canonicalHash(content),
});

/**
 * @param from where the text is from, for messages
 * @throws BackupError `unreadable` for another format or no manifest at all, `damaged` for one that was changed
 */
export function parseManifest(text: string, from: string): BackupManifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new BackupError('damaged', `${from} is not JSON: it was changed or cut off after it was written`, {
      cause: error,
    });
  }
  const format: unknown =
    typeof value === 'object' && value !== null && 'format' in value ? value.format : undefined;
  if (typeof format !== 'number')
    throw new BackupError('unreadable', `${from} is not the manifest of a backup`);
  if (format !== FORMAT)
    throw new BackupError(
      'unreadable',
      `${from} has format ${format}, and this program reads format ${FORMAT}: use the version of Tenure that made it`,
    );
  const { digest, ...rest } = value as Record<string, unknown>;
  const parsed = schema.safeParse(rest);
  if (!parsed.success || digest !== canonicalHash(rest)) {
    const [issue] = parsed.error?.issues ?? [];
    const why =
      issue === undefined
        ? 'its digest is not that of its content'
        : `${issue.path.join('.')}: ${issue.message}`;
    throw new BackupError('damaged', `${from} was changed after it was written: ${why}`);
  }
  return { ...parsed.data, digest };
}
