import type { Command } from 'commander';
import { armFailPoints } from '../../../fail-points/arm.js';
import { explainStorage, TenureError } from '../../errors.js';
import { Exit } from '../exit.js';
import { backedUp, restored, verifiedBackup } from '../render/backup.js';
import type { Stage } from '../scene.js';

export function addBackupCommands(program: Command, stage: Stage): void {
  const backup = program
    .command('backup')
    .summary('back up all stores into a new folder')
    .description(
      'Makes a backup of MongoDB at one moment, of all artifacts, and of the Temporal database of the embedded stack, which stands ' +
        'still for a moment. Everything else goes on. The folder appears when it is whole. Exit code 1 also when the backup was made ' +
        'but something in it is bad, such as a ledger that does not verify.',
    )
    .argument('<folder>', 'where to; it must not exist, e.g. backups/2026-11-24')
    .option('--link-from <backup>', 'link artifacts from an earlier backup instead of copying them again')
    .option('--without-temporal', "leave Temporal's database out")
    .action(
      stage.act(async (scene, [folder = ''], options: { linkFrom?: string; withoutTemporal?: boolean }) => {
        const { createBackup } = await import('../../backup.js');
        armFailPoints(scene.config.failPoints);
        const { linkFrom, withoutTemporal } = options;
        const manifest = await createBackup(scene.session, folder, {
          ...(linkFrom === undefined ? {} : { linkFrom }),
          withoutTemporal: withoutTemporal === true,
          onProgress: (text) => scene.printer.progress(text),
        });
        scene.printer.result({ folder, manifest }, backedUp);
        return manifest.problems.length === 0 ? Exit.fine : Exit.failed;
      }),
    );
  backup
    .command('verify')
    .summary('check a backup, without any server')
    .description(
      'Checks every file, document, artifact and event of a backup against what was written. Needs no server and changes nothing.',
    )
    .argument('<folder>')
    .action(
      stage.act(async (scene, [folder = '']) => {
        const { verifyBackup } = await import('../../../backup/verify.js');
        const manifest = await verifyBackup(folder, (text) => scene.printer.progress(text)).catch(
          (error: unknown) => {
            throw explainStorage(error);
          },
        );
        scene.printer.result({ folder, manifest }, verifiedBackup);
      }),
    );

  program
    .command('restore')
    .summary('bring a backup back')
    .description(
      'Verifies a backup, then makes this home (TENURE_HOME) and this database (MONGODB_URI, TENURE_DATABASE) what it holds. Worker and ' +
        'gateways, and an embedded stack, must be stopped. What was interrupted is completed by the same command again.',
    )
    .argument('<folder>', 'a backup')
    .option('--replace', 'replace what is there, after asking')
    .option('--yes', 'with --replace: do not ask')
    .option('--accept-bad-ledger', 'also when the ledger did not verify when it was backed up')
    .option('--give-up', 'forget a restore that was interrupted before anything was replaced')
    .action(stage.act(restore));
}

interface RestoreFlags {
  readonly replace?: boolean;
  readonly yes?: boolean;
  readonly acceptBadLedger?: boolean;
  readonly giveUp?: boolean;
}

const restore: Parameters<Stage['act']>[0] = async (scene, [folder = ''], flags: RestoreFlags) => {
  const { giveUp, restoreBackup } = await import('../../restore.js');
  const { config, printer } = scene;
  armFailPoints(config.failPoints);
  if (flags.yes === true && flags.replace !== true)
    throw new TenureError('invalid', '--yes goes with --replace');
  const onProgress = (text: string): void => printer.progress(text);
  if (flags.giveUp === true) {
    await giveUp(config, onProgress);
    printer.result({ givenUp: folder }, () => 'The restore is forgotten: the database is as it was');
    return;
  }
  const done = await restoreBackup(config, folder, {
    replace: flags.replace === true,
    confirm: async (what) => flags.yes === true || printer.confirm(`${what}.\nReplace all of it?`),
    acceptBadLedger: flags.acceptBadLedger === true,
    onProgress,
  });
  printer.result(done, restored);
};
