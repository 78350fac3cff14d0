import type { Command } from 'commander';
import { monitored } from '../../monitoring.js';
import { monitoredPage } from '../render/monitoring.js';
import { type Stage, wholeNumber } from '../scene.js';

const LIMIT = 20;

/** @param model the command `model` */
export function addMonitoringCommands(model: Command, stage: Stage): void {
  model
    .command('findings')
    .summary('what the monitors found, and what they wait for')
    .description(
      'Shows what the monitors say of a model: what is open, what they wait for before they can judge, and the newest findings.\n' +
        '`immaterial` is significant and too small to matter by the manifest; nothing is done about it.',
    )
    .argument('<model>', 'or `fleet` for the monitors themselves')
    .option('--limit <number>', `findings at most (default ${LIMIT})`, wholeNumber)
    .addHelpText('after', '\nExample:\n  tenure model findings employment')
    .action(
      stage.act(async (scene, [name = ''], { limit }: { limit?: number }) => {
        scene.printer.result(await monitored(scene.session, name, limit ?? LIMIT), monitoredPage);
      }),
    );
}
