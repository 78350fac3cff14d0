import type { Command } from 'commander';
import { history, type HistoryEntry, verifyLedger } from '../../audit.js';
import { gatewayStatus, retireGateway } from '../../gateways.js';
import { recomputeVerdicts } from '../../verdicts.js';
import { Exit } from '../exit.js';
import { gatewayTable, recomputed, story, verified } from '../render/record.js';
import { type Stage, wholeNumber } from '../scene.js';

export function addGatewayCommands(program: Command, stage: Stage): void {
  const gateway = program
    .command('gateway')
    .summary('show and retire gateways')
    .description('The data plane: processes that answer inference requests.');
  gateway
    .command('status')
    .summary('show every gateway and what it serves')
    .description(
      'Shows every registered gateway, when it was last heard of, and for each model the generation of its routing table ' +
        'beside the one in force.',
    )
    .action(
      stage.act(async (scene) => {
        scene.printer.result(await gatewayStatus(scene.session), gatewayTable);
      }),
    );
  gateway
    .command('retire')
    .summary('count a gateway out for good')
    .description(
      'Counts a gateway that is gone out for good: changes of traffic need not wait for it any more. One that is alive is refused, ' +
        'as it would count itself in again. It is on the record: `tenure history fleet`.',
    )
    .argument('<gateway>', 'its name, e.g. gateway-1')
    .option('--reason <text>', 'why, for the record')
    .action(
      stage.act(async (scene, [name = ''], { reason }: { reason?: string }) => {
        await retireGateway(scene.session, name, reason);
        scene.printer.result(
          { gateway: name, retired: true },
          (done, style) => `${style.green('retired')}: ${done.gateway}`,
        );
      }),
    );
}

export function addLedgerCommands(program: Command, stage: Stage): void {
  program
    .command('history')
    .summary("tell a model's story")
    .description(
      "Tells a model's story from the ledger, oldest first, in plain words. It shows what is stored; whether that was altered " +
        'is for `tenure ledger verify`.',
    )
    .argument('<model>', 'or `fleet` for the gateways')
    .option('--details', 'also looks, intents and measurements')
    .option('--from <number>', 'from this event on', wholeNumber)
    .option('--events', 'with --json: the whole events with their evidence, not only the sentences')
    .action(
      stage.act(
        async (scene, [model = ''], options: { details?: boolean; from?: number; events?: boolean }) => {
          const { from } = options;
          const entries: HistoryEntry[] = [];
          for await (const entry of history(scene.session, model, from === undefined ? {} : { from }))
            entries.push(entry);
          const whole = options.events === true;
          const data = entries.map(({ event, ...line }) => (whole ? { ...line, event } : line));
          scene.printer.result({ model, events: data }, (shown, style) =>
            story(shown.events as HistoryEntry[], style, options.details === true),
          );
        },
      ),
    );

  const ledger = program
    .command('ledger')
    .summary('verify the audit history and its verdicts')
    .description('The append-only audit history.');
  ledger
    .command('verify')
    .summary('recompute every hash and link')
    .description(
      'Recomputes every hash and link of the ledger and names the first bad event of each stream. The newest events are compared ' +
        'with the heads that the workflows carry in Temporal, another database. Exit code 1 when something is bad, 3 when the ' +
        'workflows could not be asked.',
    )
    .argument('[model]', 'one model (default: all)')
    .option('--without-heads', 'do not ask the workflows')
    .action(
      stage.act(async (scene, [model], options: { withoutHeads?: boolean }) => {
        const result = await verifyLedger(scene.session, {
          ...(model === undefined ? {} : { model }),
          withoutHeads: options.withoutHeads === true,
          onProgress: (events) => {
            if (events % 10_000 === 0) scene.printer.progress(`${events} events`);
          },
        });
        scene.printer.result(result, verified);
        if (!result.ok) return Exit.failed;
        return result.unreachable ? Exit.unreachable : Exit.fine;
      }),
    );
  ledger
    .command('recompute')
    .summary('recompute every verdict of the canaries')
    .description(
      "Judges every recorded look of a model's canaries again, from nothing but the ledger: the plan, the champion's history, the " +
        'counts and the moments go in, and the same verdicts must come out. Exit code 1 when one does not.',
    )
    .argument('<model>')
    .action(
      stage.act(async (scene, [model = '']) => {
        const canaries = await recomputeVerdicts(scene.session, model);
        scene.printer.result(canaries, recomputed);
        return canaries.some(({ result }) => result === 'different') ? Exit.failed : Exit.fine;
      }),
    );
}
