import type { Command } from 'commander';
import type { Lineage } from '../../../contracts/model.js';
import { checkLineage, readLineage } from '../../lineage.js';
import { findProfile, findVersion, listVersions, registerFile } from '../../models.js';
import { versionPage, versionTable } from '../render/model.js';
import { profilePage } from '../render/profile.js';
import type { Stage } from '../scene.js';

interface RegisterOptions {
  readonly lineageFile?: string;
  readonly trainingDataDigest?: string;
  readonly codeRevision?: string;
  readonly parent?: string;
  readonly digest?: string;
}

export function addVersionCommands(program: Command, stage: Stage): void {
  const version = program
    .command('version')
    .summary('register and show versions')
    .description('Immutable artifacts of a model, known by their digest.');

  version
    .command('register')
    .summary('register a file as a version')
    .description(
      'Puts a model file (ONNX) into the artifact store and registers it as a version. The worker reads it back, checks its ' +
        'digest, loads it and compares inputs and outputs with the manifest. The same again changes nothing.',
    )
    .argument('<model>')
    .argument('<version>', 'a name for it, e.g. v2; it never changes its digest')
    .argument('<file>', 'the model file, e.g. model.onnx')
    .option('--digest <sha256>', 'refuse the file unless it has this digest')
    .option(
      '--lineage-file <json>',
      'trainingDataDigest, codeRevision, parentVersion and metrics, as a JSON object',
    )
    .option('--training-data-digest <sha256>', 'SHA-256 of the training data')
    .option('--code-revision <text>', 'e.g. the commit of the training code')
    .option('--parent <version>', 'the version that it was made from')
    .addHelpText(
      'after',
      '\nExample:\n  tenure version register employment v2 v2.onnx --code-revision 4f1c2ab --parent v1',
    )
    .action(
      stage.act(async (scene, [model = '', name = '', file = ''], options: RegisterOptions) => {
        const lineage = await lineageOf(options);
        const { digest } = options;
        const record = await registerFile(scene.session, model, name, file, {
          lineage,
          ...(digest === undefined ? {} : { digest }),
        });
        scene.printer.result(
          record,
          (shown, style) => `${style.green('registered')}\n${versionPage(shown, style)}`,
        );
      }),
    );

  version
    .command('list')
    .summary("list a model's versions")
    .description("Lists a model's registered versions, oldest first.")
    .argument('<model>')
    .action(
      stage.act(async (scene, [model = '']) => {
        scene.printer.result(await listVersions(scene.session, model), versionTable);
      }),
    );

  version
    .command('show')
    .summary('show a version, where it came from, and its reference profile')
    .description(
      'Shows a version, where it came from, and what its data and scores looked like when it was validated.',
    )
    .argument('<model>')
    .argument('<version>')
    .action(
      stage.act(async (scene, [model = '', name = '']) => {
        const record = await findVersion(scene.session, model, name);
        const profile = await findProfile(scene.session, model, record.digest);
        scene.printer.result(
          { ...record, profile },
          (shown, style) => `${versionPage(shown, style)}\n\n${profilePage(shown.profile, style)}`,
        );
      }),
    );
}

/** From the file, and over it from the options. */
async function lineageOf(options: RegisterOptions): Promise<Lineage> {
  const { lineageFile, trainingDataDigest, codeRevision, parent } = options;
  const fromFile = lineageFile === undefined ? {} : await readLineage(lineageFile);
  const given = {
    ...(trainingDataDigest === undefined ? {} : { trainingDataDigest }),
    ...(codeRevision === undefined ? {} : { codeRevision }),
    ...(parent === undefined ? {} : { parentVersion: parent }),
  };
  return { ...fromFile, ...checkLineage(given, 'What was given') };
}
