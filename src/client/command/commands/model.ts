import type { Command } from 'commander';
import type { ModelView } from '../../../contracts/views.js';
import { labelled } from '../../labelled.js';
import { applyModelFile } from '../../models.js';
import { modelPage, modelTable } from '../render/model.js';
import { futureTime, someText, type Scene, type Stage } from '../scene.js';
import { shortDigest } from '../style.js';
import { addMonitoringCommands } from './monitoring.js';

export function addModelCommands(program: Command, stage: Stage): void {
  const model = program
    .command('model')
    .summary('apply manifests, show models, roll back, freeze, retire')
    .description('What is in production, and what governs it.');

  model
    .command('apply')
    .summary('apply a manifest')
    .description(
      'Applies a model.yaml. Its validation data go into the artifact store, and the manifest is bound to their digest.\n' +
        'Problems are listed with their line and column, all at once. Applying the same file again changes nothing.',
    )
    .argument('<file>', 'the manifest, e.g. model.yaml')
    .addHelpText('after', '\nExample:\n  tenure model apply examples/employment/model.yaml')
    .action(
      stage.act(async (scene, [file = '']) => {
        const applied = await applyModelFile(scene.session, file);
        scene.printer.result(
          applied,
          ({ model, revision, dataDigest }, style) =>
            `${style.green('applied')}: ${model}, manifest revision ${revision}, validation data ${shortDigest(dataDigest)}`,
        );
      }),
    );

  model
    .command('show')
    .summary('show a model')
    .description(
      'Shows what serves, what is in flight and queued, what the labels of the last 30 days say, and the latest releases.',
    )
    .argument('<model>')
    .option('--resolved', 'the manifest in force instead, with every default of its tier filled in, as YAML')
    .action(
      stage.act(async (scene, [name = ''], { resolved }: { resolved?: boolean }) => {
        const tenure = await scene.tenure();
        const view = await tenure.model(name);
        if (resolved === true) return showManifest(scene, view);
        // What serves is told also while MongoDB is away, or a retraining does not answer.
        const labels = await labelled(scene.session, name, view.manifest).catch(() => null);
        const { running = null } = view.retraining ?? {};
        const retrains =
          running === null ? null : await tenure.retraining(name, running.retraining).catch(() => null);
        const incidents = await tenure.withPhases(name, view.incidents ?? []);
        scene.printer.result({ ...view, incidents, labelled: labels, retrains }, modelPage);
      }),
    );

  model
    .command('list')
    .summary('list all models')
    .description(
      'Lists all models. The list comes from Temporal’s visibility store and may lag by a second or two.',
    )
    .action(
      stage.act(async (scene) => {
        scene.printer.result(await (await scene.tenure()).listModels(), modelTable);
      }),
    );

  addMonitoringCommands(model, stage);
  addSafetyCommands(model, stage);
}

async function showManifest(scene: Scene, { manifest }: ModelView): Promise<void> {
  const { stringifyManifest } = await import('../../../manifest/index.js');
  scene.printer.result(manifest, (shown) => stringifyManifest(shown));
}

function addSafetyCommands(model: Command, stage: Stage): void {
  model
    .command('roll-back')
    .summary('serve an earlier champion again')
    .description(
      'Serves an earlier champion again: the one before, or the one named. A release in flight is aborted first.\n' +
        'Within the rollback window it is still loaded and takes over at once; else it is deployed anew.',
    )
    .argument('<model>')
    .option('--to <version>', 'a former champion (default: the newest one)')
    .requiredOption('--reason <text>', 'why, for the record', someText)
    .addHelpText(
      'after',
      '\nExample:\n  tenure model roll-back employment --to v1 --reason "complaints about v2"',
    )
    .action(
      stage.act(async (scene, [name = ''], { to, reason }: { to?: string; reason: string }) => {
        const asked = { reason, ...(to === undefined ? {} : { to }) };
        const answer = await (await scene.tenure()).rollBack(name, asked);
        scene.printer.result(
          { model: name, ...answer },
          (done, style) =>
            `${style.green('rolling back')} ${done.model} to ${done.to}; see \`tenure model show ${done.model}\``,
        );
      }),
    );

  model
    .command('freeze')
    .summary('hold back promotions')
    .description(
      'Holds back promotions until it is unfrozen, or until a time. Rollbacks and aborts go on as ever.',
    )
    .argument('<model>')
    .requiredOption('--reason <text>', 'why, for the record', someText)
    .option('--until <time>', 'end of the freeze, e.g. 2026-12-31T18:00:00Z', futureTime)
    .action(
      stage.act(async (scene, [name = ''], { reason, until }: { reason: string; until?: string }) => {
        await (await scene.tenure()).freeze(name, { reason, ...(until === undefined ? {} : { until }) });
        scene.printer.result(
          { model: name, frozen: true, until: until ?? null },
          (done, style) =>
            `${style.green('frozen')}: ${done.model}${done.until === null ? '' : ` until ${done.until}`}`,
        );
      }),
    );

  addReasoned(
    model,
    stage,
    'unfreeze',
    'end a freeze',
    'Ends a freeze: promotions go on.',
    async (scene, name, reason) => {
      await (await scene.tenure()).unfreeze(name, { reason });
      scene.printer.result(
        { model: name, frozen: false },
        (done, style) => `${style.green('unfrozen')}: ${done.model}`,
      );
    },
  );
  addReasoned(
    model,
    stage,
    'retrain',
    'train a challenger now',
    'Trains a challenger as the manifest says. It is released only if it is better than the champion on recent labelled rows.\n' +
      'Refused while something stands against it: the cooldown, the budget, too few fresh labels, a release in flight, a freeze.',
    async (scene, name, reason) => {
      const retraining = await (await scene.tenure()).retrain(name, { reason });
      scene.printer.result(
        { model: name, retraining },
        (done, style) =>
          `${style.green('retraining')} ${done.retraining} of ${done.model}; see \`tenure model show ${done.model}\``,
      );
    },
  );
  addReasoned(
    model,
    stage,
    'retire',
    'take a model out of production',
    'Takes a model out of production for good: a release in flight is aborted, requests get 503, versions are unloaded.\n' +
      'Its history stays.',
    async (scene, name, reason) => {
      await (await scene.tenure()).retire(name, { reason });
      scene.printer.result(
        { model: name, retiring: true },
        (done, style) => `${style.green('retiring')}: ${done.model}; see \`tenure model show ${done.model}\``,
      );
    },
  );
}

function addReasoned(
  model: Command,
  stage: Stage,
  name: string,
  summary: string,
  description: string,
  act: (scene: Scene, name: string, reason: string) => Promise<void>,
): void {
  model
    .command(name)
    .summary(summary)
    .description(description)
    .argument('<model>')
    .requiredOption('--reason <text>', 'why, for the record', someText)
    .action(
      stage.act(async (scene, [modelName = ''], { reason }: { reason: string }) =>
        act(scene, modelName, reason),
      ),
    );
}
