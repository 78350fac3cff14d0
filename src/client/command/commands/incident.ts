import type { Command } from 'commander';
import { TenureError } from '../../errors.js';
import { requireOnRecord } from '../../on-record.js';
import { incidentPage, incidentTable } from '../render/incident.js';
import { someText, type Stage, wholeNumber } from '../scene.js';

export function addIncidentCommands(program: Command, stage: Stage): void {
  const incident = program
    .command('incident')
    .summary('list, show, acknowledge and resolve incidents')
    .description(
      'What people are told of until it is over: findings of the monitors, releases that were taken back, acts that fail.',
    );

  incident
    .command('list')
    .summary('list the incidents that are open')
    .description(
      'Lists the incidents that are open, or just resolved, newest first, at most a thousand. The list comes from Temporal’s ' +
        'visibility store and may lag by a second or two.',
    )
    .argument('[model]', 'of this model only; `fleet`: those that belong to no model')
    .option('--all', 'also those that are over, as long as the Temporal server keeps them')
    .action(
      stage.act(async (scene, [model], { all }: { all?: boolean }) => {
        const tenure = await scene.tenure();
        const rows = await tenure.listIncidents({
          all: all === true,
          ...(model === undefined ? {} : { model }),
        });
        if (model !== undefined && rows.length === 0) await requireOnRecord(scene.session, model);
        scene.printer.result(rows, incidentTable);
      }),
    );

  incident
    .command('show')
    .summary('show an incident')
    .description(
      'Shows what happened, on what evidence, what was done when, and what happens next by itself.',
    )
    .argument('<model>')
    .argument('<number>', 'which incident', wholeNumber)
    .action(
      stage.act(async (scene, [model = '', number]) => {
        const tenure = await scene.tenure();
        scene.printer.result(await tenure.incident(model, numberOf(number)), incidentPage);
      }),
    );

  const acts = [
    [
      'acknowledge',
      'say that you see to it',
      'Says that you see to it: nobody else is told. It stays open until its cause is gone.',
      'acknowledged',
    ],
    [
      'resolve',
      'say that it is over',
      'Says that its cause is gone. If a monitor finds it again soon, the incident is open again.',
      'resolved',
    ],
    [
      'report',
      'say that it was reported',
      'Says that a serious incident was reported to whom the manifest’s `reportSeconds` is for; the reason says to whom, and under ' +
        'which number. It reports nothing by itself.',
      'reported',
    ],
  ] as const;
  for (const [act, summary, description, done] of acts)
    incident
      .command(act)
      .summary(summary)
      .description(`${description}\nWhat is refused is recorded with the reason, and the exit code is 1.`)
      .argument('<model>')
      .argument('<number>', 'which incident', wholeNumber)
      .requiredOption('--reason <text>', 'why, for the record', someText)
      .addHelpText(
        'after',
        `\nExample:\n  tenure incident ${act} employment 3 --as ben --reason "feed is being mended"`,
      )
      .action(
        stage.act(async (scene, [model = '', given], { reason }: { reason: string }) => {
          const number = numberOf(given);
          const { phase } = await (await scene.tenure()).actOnIncident(model, number, act, { reason });
          scene.printer.result(
            { model, incident: number, act, phase },
            (shown, style) =>
              `${style.green(done)}: incident ${shown.incident} of ${shown.model}; it is ${shown.phase} now`,
          );
        }),
      );
}

/** Commander has made a number of it. */
function numberOf(given: unknown): number {
  if (typeof given !== 'number') throw new TenureError('invalid', 'the number of an incident is needed');
  return given;
}
