import type { BackupManifest } from '../../../backup/format.js';
import type { Restored } from '../../restore.js';
import { count, fields, shortDigest, type Style, time } from '../style.js';

interface Shown {
  readonly folder: string;
  readonly manifest: BackupManifest;
}

export function backedUp({ folder, manifest }: Shown, style: Style): string {
  const { problems, notIncluded } = manifest;
  const head = problems.length === 0 ? style.green('backed up') : style.yellow('backed up, with problems');
  return [
    `${head}: ${folder}`,
    contents(manifest, style),
    ...problems.map((problem) => style.red(problem)),
    '',
    style.dim('Not in it:'),
    ...notIncluded.map(({ what, why }) => style.dim(`  - ${what}: ${why}`)),
  ].join('\n');
}

export const verifiedBackup = ({ folder, manifest }: Shown, style: Style): string =>
  [
    `${style.green('ok')}: ${folder} is as it was written`,
    contents(manifest, style),
    ...manifest.problems.map((problem) => style.yellow(`It was so when it was made: ${problem}`)),
  ].join('\n');

function contents(
  { createdAt, digest, database, ledger, artifacts, temporal }: BackupManifest,
  style: Style,
): string {
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
