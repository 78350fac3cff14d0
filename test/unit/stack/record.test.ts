import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readRecord, writeRecord, type StackRecord } from '../../../src/stack/record.js';

describe("The record of a folder's stack", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tenure-record-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('is empty where there was no stack', async () => {
    assert.deepEqual(await readRecord(folder), { owner: null, temporal: null, mongod: null });
  });

  it('is read as it was written, and leaves no draft', async () => {
    const record: StackRecord = {
      owner: { pid: 1, started: '2', token: '3' },
      temporal: { port: 20_000, uiPort: 20_001 },
      mongod: { port: 20_002 },
    };
    await writeRecord(folder, { ...record, temporal: null });
    await writeRecord(folder, record);
    assert.deepEqual(await readRecord(folder), record);
    assert.deepEqual(await readdir(folder), ['stack.json']);
  });

  it('says what to do when it is no JSON', async () => {
    await writeFile(join(folder, 'stack.json'), '{"owner":');
    await assert.rejects(readRecord(folder), /stack\.json is not JSON; delete it/);
  });
});
