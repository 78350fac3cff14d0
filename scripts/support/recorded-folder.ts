import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { WorkflowHandle } from '@temporalio/client';
import { storedHistory } from '../../test/support/stored-history.js';

/** A new folder of test/replay/histories, for the histories of one landed version. */
export class RecordedFolder {
  readonly #folder: string;
  readonly #index: { file: string; workflowId: string; events: number }[] = [];

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * @param version its name, a number and what is new, such as 3-incidents
   * @throws Error when that is no such name, or the folder is there: what is stored stays as it is
   */
  static async make(version: string, example: string): Promise<RecordedFolder> {
    if (!/^\d+-[a-z-]+$/.test(version))
      throw new Error(`The name of a version is needed, as in ${example}: got ${JSON.stringify(version)}`);
    const folder = fileURLToPath(new URL(`../../test/replay/histories/${version}/`, import.meta.url));
    await mkdir(folder);
    return new RecordedFolder(folder);
  }

  async record(handle: Pick<WorkflowHandle, 'workflowId' | 'fetchHistory'>, name: string): Promise<void> {
    const history = await handle.fetchHistory();
    const file = `${name}.bin`;
    const events = history.events?.length ?? 0;
    await writeFile(`${this.#folder}${file}`, storedHistory(history));
    this.#index.push({ file, workflowId: handle.workflowId, events });
    // After each: what was recorded before something got stuck can be kept.
    const sorted = this.#index.toSorted((a, b) => (a.file < b.file ? -1 : 1));
    await writeFile(`${this.#folder}index.json`, `${JSON.stringify(sorted, null, 2)}\n`);
    process.stdout.write(`${file}: ${events} events\n`);
  }
}
