/** The file of a data set, as gates read it. */
import { type DataFile, DataFileError, openRows } from '../../platform/data-files/data-file.js';
import { GateProblem } from './ports.js';

export { quotedName } from '../../platform/data-files/data-file.js';

/**
 * @param csvTypes DuckDB types of columns, for CSV alone: the file itself does not say them
 * @throws GateProblem when the file is neither Parquet nor CSV, also when it turns out while it is read
 */
export async function openDataFile(path: string, csvTypes: ReadonlyMap<string, string>): Promise<DataFile> {
  const options = { kinds: ['Parquet', 'CSV'], name: 'The data set', csvTypes } as const;
  const file = await openRows(path, options).catch(refuse);
  return {
    ...file,
    read: async function* (expressions) {
      try {
        yield* file.read(expressions);
      } catch (error) {
        refuse(error);
      }
    },
  };
}

function refuse(error: unknown): never {
  throw error instanceof DataFileError ? new GateProblem(error.message) : error;
}
