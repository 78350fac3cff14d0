/** Trained models as files, each with what it was made from beside it, so that none is trained twice. Not under version control. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where models are kept unless told otherwise. */
export const modelsFolder = fileURLToPath(new URL('models/', import.meta.url));

/** What a model was made from. */
export interface Recipe {
  /** SHA-256 of the Parquet file of training rows, hex. */
  readonly trainingDataDigest: string;
  /** SHA-256 of the recipe, hex. */
  readonly recipeDigest: string;
}

export interface StoredModel<Lineage extends Recipe = Recipe> {
  readonly path: string;
  /** SHA-256 of the ONNX file, hex. */
  readonly digest: string;
  readonly bytes: number;
  readonly lineage: Lineage;
}

const place = (folder: string, name: string) => ({
  path: join(folder, `${name}.onnx`),
  record: join(folder, `${name}.json`),
});

/** The model of that name; null when it is not there, is damaged, or was made from something else. */
export async function storedModel<Lineage extends Recipe>(
  folder: string,
  name: string,
  { trainingDataDigest, recipeDigest }: Recipe,
): Promise<StoredModel<Lineage> | null> {
  const { path, record } = place(folder, name);
  try {
    const kept = JSON.parse(await readFile(record, 'utf8')) as Omit<StoredModel<Lineage>, 'path'>;
    const isIntact =
      kept.lineage.trainingDataDigest === trainingDataDigest &&
      kept.lineage.recipeDigest === recipeDigest &&
      kept.digest === sha256(await readFile(path));
    return isIntact ? { path, ...kept } : null;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Writes a model and what it was made from. */
export async function keepModel<Lineage extends Recipe>(
  folder: string,
  name: string,
  content: Uint8Array,
  lineage: Lineage,
): Promise<StoredModel<Lineage>> {
  const { path, record } = place(folder, name);
  await mkdir(folder, { recursive: true });
  const kept = { digest: sha256(content), bytes: content.length, lineage };
  await writeWhole(path, content);
  await writeWhole(record, `${JSON.stringify(kept, null, 2)}\n`);
  return { path, ...kept };
}

/** SHA-256, hex. */
export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Puts the whole file in place at once, so that nobody reads half of one. */
async function writeWhole(path: string, content: Uint8Array | string): Promise<void> {
  const unfinished = `${path}.${process.pid}.part`;
  await writeFile(unfinished, content);
  await rename(unfinished, path);
}
