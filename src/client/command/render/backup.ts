import type { BackupManifest } from '../../../backup/format.js';
import type { Restored } from '../../restore.js';
import { count, fields, shortDigest, type Style, time } from '../style.js';

type Shown = BackupManifest & { readonly folder: string };

export function backedUp(backup: Shown, style: Style): string {
  const head =
    backup.problems.length === 0 ? style.green('backed up') : style.yellow('backed up, with problems');
  return [
    `${head}: ${backup.folder}`,
    contents(backup, style),
    ...backup.problems.map((problem) => style.red(problem)),
    '',
    style.dim('Not in it:'),
    ...backup.notIncluded.map(({ what, why }) => style.dim(`  - ${what}: ${why}`)),
  ].join('\n');
}

export const verifiedBackup = (backup: Shown, style: Style): string =>
  [
    `${style.green('ok')}: ${backup.folder} is as it was written`,
    contents(backup, style),
    ...backup.problems.map((problem) => style.yellow(`It was so when it was made: ${problem}`)),
  ].join('\n');

function contents({ createdAt, digest, database, ledger, artifacts, temporal }: Shown, style: Style): string {
  const documents = database.collections.reduce((sum, collection) => sum + collection.documents, 0);
  return fields(style, [
    ['made', time(createdAt)],
    ['digest', shortDigest(digest)],
    [
      'database',
      `${database.name}: ${count(documents)} document(s) in ${database.collections.length} collection(s)`,
    ],
    ['ledger', `${count(ledger.events)} event(s) in ${count(Object.keys(ledger.heads).length)} stream(s)`],
    ['artifacts', `${count(artifacts.count)}, ${count(artifacts.bytes)} bytes`],
    [
      'Temporal',
      temporal.included
        ? `${count(temporal.files.reduce((sum, file) => sum + file.bytes, 0))} bytes`
        : 'not included',
    ],
  ]);
}

export function restored(done: Restored, style: Style): string {
  const temporal = {
    restored: 'restored',
    lost: style.yellow('not in the backup: it starts empty, without any workflow'),
    kept: style.yellow('a server of its own, which keeps what it has'),
  }[done.temporal];
  return [
    `${style.green('restored')}: ${done.folder}, made ${time(done.createdAt)}`,
    fields(style, [
      ['database', `${count(done.documents)} document(s), ${count(done.events)} event(s) in the ledger`],
      ['artifacts', `${count(done.artifacts.inBackup)}, of which ${count(done.artifacts.put)} were put back`],
      ['Temporal', temporal],
    ]),
    '',
    'Next: start it (`tenure up`), then `tenure doctor`, and `tenure doctor --repair` for what it names',
  ].join('\n');
}
