import { realpath } from 'node:fs/promises';
import { mongodArgument, mongodUri } from './mongod.js';
import { findByArgument } from '../processes/identity.js';
import { readRecord } from './record.js';
import { temporalArgument } from './temporal.js';

/** What runs of a folder's stack; null for a server that does not, because it was killed or one of one's own is used. */
export interface RunningStack {
  /** `host:port` of Temporal's frontend. */
  readonly temporalAddress: string | null;
  readonly temporalUiUrl: string | null;
  readonly mongodbUri: string | null;
}

/** The embedded stack that runs on a folder now; null when nothing of it does. Reads only. */
export async function readRunningStack(folder: string): Promise<RunningStack | null> {
  const dataDir = await realpath(folder).catch(() => null);
  if (dataDir === null) return null;
  const record = await readRecord(dataDir);
  const temporal = runs(temporalArgument(dataDir)) ? record.temporal : null;
  const mongod = runs(mongodArgument(dataDir)) ? record.mongod : null;
  if (temporal === null && mongod === null) return null;
  return {
    temporalAddress: temporal === null ? null : `127.0.0.1:${temporal.port}`,
    temporalUiUrl: temporal === null ? null : `http://127.0.0.1:${temporal.uiPort}`,
    mongodbUri: mongod === null ? null : mongodUri(mongod.port),
  };
}

const runs = (argument: string): boolean => findByArgument(argument).length > 0;
