import { once } from 'node:events';
import process from 'node:process';
import type { Command } from 'commander';
import { UI_FILTERS, uiLink } from '../../../contracts/ui.js';
import type { Up } from '../../up.js';
import { readableLog } from '../render/log.js';
import { fields, type Style } from '../style.js';
import type { Stage } from '../scene.js';

export function addUpCommand(program: Command, stage: Stage): void {
  program
    .command('up')
    .summary('start the stack, a worker and a gateway')
    .description(
      'Starts Temporal with its UI and MongoDB on loopback, with data in .tenure (TENURE_HOME), then a worker and a gateway, and keeps ' +
        'them running until Ctrl-C. With TEMPORAL_ADDRESS or MONGODB_URI set, that part is used instead. Where the stack of this ' +
        'folder runs already, it prints the addresses and ends.',
    )
    .option('--no-worker', 'no worker: start one elsewhere')
    .option('--no-gateway', 'no gateway: start one elsewhere')
    .action(
      stage.act(async (scene, _args, options: { worker: boolean; gateway: boolean }) => {
        const { startUp } = await import('../../up.js');
        const { printer, config } = scene;
        const stop = signalled();
        const starting = startUp(config, {
          ...options,
          onProgress: (text) => printer.progress(text),
          onLine: (name, line) =>
            printer.progress((style) => `${style.dim(`${name.padEnd(7)} |`)} ${readableLog(line)}`),
        });
        const up = await starting;
        printer.result(addressesOf(up, config.namespace), (shown, style) => addresses(shown, style));
        if (!up.owned) {
          printer.progress(`The stack of ${config.home} is run by another process: nothing was started here`);
          return;
        }
        if (up.metricsUrl === null && options.worker)
          printer.progress('The worker has not started yet; what it writes here says why');
        if (up.gatewayUrl === null && options.gateway)
          printer.progress('The gateway has not reported itself yet; see `tenure gateway status`');
        printer.progress('Ctrl-C stops it');
        await awake(stop);
        await up.stop();
      }),
    );
}

/** From now on a signal is a request to stop. A second one ends the process as ever. */
async function signalled(): Promise<void> {
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM'), once(process, 'SIGHUP')]);
}

/** Neither a signal that is listened for nor servers that run by themselves keep this process alive: without worker and gateway it would end. */
async function awake(until: Promise<void>): Promise<void> {
  const timer = setInterval(() => undefined, 2 ** 30);
  try {
    await until;
  } finally {
    clearInterval(timer);
  }
}

interface Addresses {
  readonly temporal: string;
  readonly mongodb: string;
  readonly gateway: string | null;
  /** Of the worker, for Prometheus. */
  readonly metrics: string | null;
  readonly temporalUi: string | null;
  /** What one looks at first in the Temporal UI. */
  readonly filters: Readonly<Record<string, string>>;
  readonly processes: readonly { readonly name: string; readonly pid: number | null }[];
}

function addressesOf(up: Up, namespace: string): Addresses {
  const { temporalUiUrl } = up;
  return {
    temporal: up.temporalAddress,
    mongodb: withoutSecrets(up.mongodbUri),
    gateway: up.gatewayUrl,
    metrics: up.metricsUrl,
    temporalUi: temporalUiUrl,
    filters:
      temporalUiUrl === null
        ? {}
        : Object.fromEntries(
            Object.entries(UI_FILTERS).map(([name, query]) => [
              name,
              uiLink(temporalUiUrl, namespace, query),
            ]),
          ),
    processes: up.processes.map(({ name, pid }) => ({ name, pid })),
  };
}

const withoutSecrets = (uri: string): string => uri.replace(/\/\/[^@/]*@/, '//***@');

function addresses(shown: Addresses, style: Style): string {
  const { temporal, mongodb, gateway, metrics, temporalUi, filters } = shown;
  return fields(style, [
    ['Temporal', temporal],
    ['MongoDB', mongodb],
    ...(gateway === null ? [] : [['gateway', gateway] as const]),
    ...(metrics === null ? [] : [['metrics', metrics] as const]),
    ...(temporalUi === null ? [] : [['Temporal UI', temporalUi] as const]),
    ...Object.entries(filters).map(([name, link]) => [`  ${name}`, link] as const),
  ]);
}
