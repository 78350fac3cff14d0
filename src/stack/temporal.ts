import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { SEARCH_ATTRIBUTE_NAMES } from '../contracts/search-attributes.js';
import type { Executable } from './binaries/index.js';
import type { ServerPlan } from './server.js';

const NAMESPACE = 'default';
/** `INDEXED_VALUE_TYPE_KEYWORD` of Temporal's API. */
const KEYWORD = 2;

/** The argument by which a folder's server is known. */
export const temporalArgument = (dataDir: string): string =>
  `--db-filename=${join(dataDir, 'temporal.sqlite')}`;

export const temporalPlan = (
  dataDir: string,
  executable: Executable,
  ports: { readonly port: number; readonly uiPort: number },
): ServerPlan => ({
  title: 'Temporal development server',
  executable,
  args: [
    'server',
    'start-dev',
    temporalArgument(dataDir),
    '--ip=127.0.0.1',
    `--port=${ports.port}`,
    '--headless=false',
    '--ui-ip=127.0.0.1',
    `--ui-port=${ports.uiPort}`,
    '--log-level=error',
    '--color=never',
    ...SEARCH_ATTRIBUTE_NAMES.map((name) => `--search-attribute=${name}=Keyword`),
  ],
  // It would ask its maker's server for newer versions, and tell it of itself.
  env: { TEMPORAL_VERSION_CHECK_DISABLED: '1' },
  logFile: join(dataDir, 'temporal.log'),
  answers: () => temporalAnswers(ports),
});

/** Resolves when namespace, search attributes and UI are there. */
export async function temporalAnswers({
  port,
  uiPort,
}: {
  readonly port: number;
  readonly uiPort: number;
}): Promise<void> {
  const connection = await Connection.connect({ address: `127.0.0.1:${port}`, connectTimeout: 2_000 });
  try {
    await connection.withDeadline(Date.now() + 5_000, async () => {
      await connection.workflowService.describeNamespace({ namespace: NAMESPACE });
      await addMissingAttributes(connection);
    });
  } finally {
    await connection.close();
  }
  const page = await fetch(`http://127.0.0.1:${uiPort}/`, { signal: AbortSignal.timeout(2_000) });
  if (!page.ok) throw new Error(`the Temporal UI answers ${page.status}`);
}

/** The development server adds the attributes of its command line to a new database only. */
async function addMissingAttributes(connection: Connection): Promise<void> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({
    namespace: NAMESPACE,
  });
  const missing = SEARCH_ATTRIBUTE_NAMES.filter((name) => !(name in customAttributes));
  if (missing.length === 0) return;
  await connection.operatorService.addSearchAttributes({
    namespace: NAMESPACE,
    searchAttributes: Object.fromEntries(missing.map((name) => [name, KEYWORD])),
  });
}
