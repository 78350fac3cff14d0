/** Backups as somebody makes them who alters one and knows how to put every digest right. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BSON } from 'mongodb';
import { readDocuments, writeDocuments } from '../../src/backup/files.js';
import {
  type BackupContent,
  type BackupManifest,
  MANIFEST_FILE,
  sealManifest,
} from '../../src/backup/format.js';

/** Changes the manifest and seals it again. */
export async function reseal(
  folder: string,
  change: (content: BackupContent) => BackupContent | Promise<BackupContent>,
): Promise<void> {
  const { digest: _, ...content } = JSON.parse(
    await readFile(join(folder, MANIFEST_FILE), 'utf8'),
  ) as BackupManifest;
  await writeFile(join(folder, MANIFEST_FILE), JSON.stringify(sealManifest(await change(content))));
}

/** Alters the documents of a collection, and puts every digest right. */
export async function forge(
  folder: string,
  name: string,
  alter: (document: BSON.Document) => void,
): Promise<void> {
  await reseal(folder, async (content) => {
    const collections = [];
    for (const collection of content.database.collections) {
      if (collection.name !== name) {
        collections.push(collection);
        continue;
      }
      const documents = await altered(folder, collection.file, alter);
      await rm(join(folder, collection.file.path));
      collections.push({ name, ...(await writeDocuments(folder, collection.file.path, documents)) });
    }
    return { ...content, database: { ...content.database, collections } };
  });
}

/** The same for options and indexes. */
export async function forgeForms(folder: string, alter: (form: BSON.Document) => void): Promise<void> {
  await reseal(folder, async (content) => {
    const { forms } = content.database;
    const documents = await altered(folder, forms, alter);
    await rm(join(folder, forms.path));
    const { file } = await writeDocuments(folder, forms.path, documents);
    return { ...content, database: { ...content.database, forms: file } };
  });
}

async function altered(
  folder: string,
  file: { readonly path: string },
  alter: (document: BSON.Document) => void,
): Promise<Uint8Array[]> {
  const documents: Uint8Array[] = [];
  for await (const bytes of readDocuments(folder, file)) {
    const document = BSON.deserialize(bytes);
    alter(document);
    documents.push(BSON.serialize(document));
  }
  return documents;
}
