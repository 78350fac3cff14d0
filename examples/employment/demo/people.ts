/** The people who are told: a webhook of the demo's own, and a real Alertmanager where this machine has one. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, constants, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';
import { stringify } from 'yaml';
import { freePorts } from '../../../src/stack/ports.js';

/** What people were told. */
export interface Letter {
  readonly model: string;
  readonly key: string;
  readonly title: string;
  readonly severity: string;
  /** `firing`, or `resolved` when it is over. */
  readonly state: string;
  /** Epoch milliseconds, when it came. */
  readonly at: number;
}

export interface People {
  /** The file of receivers for TENURE_ALERTS. */
  readonly file: string;
  /** Newest last. */
  readonly letters: readonly Letter[];
  /** Address of the Alertmanager; null where there is none. */
  readonly alertmanager: string | null;
  close(): Promise<void>;
}

/** @param searchPath where an Alertmanager is looked for */
export async function gatherPeople(folder: string, searchPath: string): Promise<People> {
  const letters: Letter[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { data } = JSON.parse(Buffer.concat(chunks).toString()) as { data: Omit<Letter, 'at'> };
      letters.push({ ...data, at: Date.now() });
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const alertmanager = await startAlertmanager(folder, searchPath);
  await writeFile(join(folder, 'webhook-secret'), randomBytes(32).toString('base64'), { mode: 0o600 });
  const file = join(folder, 'alerts.yaml');
  const receivers = [
    { name: 'demo', kind: 'webhook', url: `http://127.0.0.1:${port}/`, secretFile: 'webhook-secret' },
    ...(alertmanager === null ? [] : [{ name: 'alertmanager', kind: 'alertmanager', url: alertmanager.url }]),
  ];
  await writeFile(file, stringify({ receivers }));
  return {
    file,
    letters,
    alertmanager: alertmanager?.url ?? null,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      if (alertmanager === null || alertmanager.child.exitCode !== null) return;
      const exit = new Promise((resolve) => alertmanager.child.once('exit', resolve));
      alertmanager.child.kill('SIGTERM');
      await exit;
    },
  };
}

/** How an alert is told from others. */
interface AlertLabels {
  readonly model: string;
  /** Id of its incident. */
  readonly key: string;
}

/** Asks an Alertmanager whether an alert fires there. One that does not answer shows none. */
export async function alertmanagerShows(url: string, { model, key }: AlertLabels): Promise<boolean> {
  try {
    const response = await fetch(`${url}/api/v2/alerts`, { signal: AbortSignal.timeout(5_000) });
    const alerts = (await response.json()) as readonly { readonly labels: Partial<AlertLabels> }[];
    return response.ok && alerts.some(({ labels }) => labels.model === model && labels.key === key);
  } catch {
    return false;
  }
}

/** Debian's name and the vendor's. */
const PROGRAMS = ['prometheus-alertmanager', 'alertmanager'];

async function startAlertmanager(
  folder: string,
  searchPath: string,
): Promise<{ readonly url: string; readonly child: ChildProcess } | null> {
  const program = await find(searchPath);
  if (program === null) return null;
  const [port = 0] = await freePorts(1);
  const config = join(folder, 'alertmanager.yml');
  await writeFile(config, 'route: {receiver: none}\nreceivers: [{name: none}]\n');
  const child = spawn(
    program,
    [
      `--config.file=${config}`,
      `--storage.path=${join(folder, 'alertmanager')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
    ],
    { stdio: 'ignore' },
  );
  return { url: `http://127.0.0.1:${port}`, child };
}

async function find(searchPath: string): Promise<string | null> {
  for (const folder of searchPath.split(delimiter))
    for (const name of PROGRAMS) {
      const program = join(folder, name);
      const isThere = await access(program, constants.X_OK).then(
        () => true,
        () => false,
      );
      if (isThere) return program;
    }
  return null;
}
