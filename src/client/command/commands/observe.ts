import { type Command, InvalidArgumentError, Option } from 'commander';
import { type LabelColumns, labelFile } from '../../labels.js';
import { type ObserveColumns, observeFile } from '../../observe.js';
import { Exit } from '../exit.js';
import { labelsSummary, observedSummary, Pace } from '../render/observe.js';
import type { Stage } from '../scene.js';

interface LabelsOptions {
  readonly model: string;
  readonly idColumn?: string;
  readonly rowColumn?: string;
  readonly labelColumn?: string;
  readonly atColumn?: string;
}

interface ObserveOptions {
  readonly model: string;
  readonly version: string;
  readonly batch?: string;
  readonly column: Readonly<Record<string, string>>;
  readonly scoreColumn?: string;
  readonly labelColumn?: string;
  readonly atColumn?: string;
  readonly idColumn?: string;
  readonly ignoreOthers?: boolean;
}

/** What brings in what happened outside of the gateway: rows that were answered elsewhere, and labels. */
export function addObserveCommands(program: Command, stage: Stage): void {
  addObserveCommand(program, stage);
  addLabelsCommand(program, stage);
}

function addObserveCommand(program: Command, stage: Stage): void {
  program
    .command('observe')
    .summary('count a file of rows that were answered elsewhere')
    .description(
      'Counts inputs, scores and labels of a model that is served elsewhere into windows, by the times of the rows, so that it is ' +
        'monitored like any other. All rows are checked first; the same file again does nothing.',
    )
    .argument('<file>', 'Parquet, CSV or JSON lines')
    .requiredOption('--model <name>')
    .requiredOption('--version <name>', 'the version that answered')
    .option('--batch <id>', "a name for it, by which it is taken once (default: the file's digest)")
    .addOption(
      new Option('--column <input=column>', 'column of an input that has another name; can be repeated')
        .argParser(mapped)
        .default({}, 'each its own name'),
    )
    .option('--score-column <name>', 'score, or list of probabilities (default: score)')
    .option('--label-column <name>', 'label, empty where not known (default: label, where there is one)')
    .option('--at-column <name>', 'when the row was answered (default: at)')
    .option('--id-column <name>', 'by which labels may come later (default: id, where there is one)')
    .option('--ignore-others', 'take a file that has more columns')
    .addHelpText(
      'after',
      '\nExample:\n  tenure observe november.parquet --model late-payment --version v1 --column x=amount --at-column answered',
    )
    .action(
      stage.act(async (scene, [file = ''], options: ObserveOptions) => {
        const pace = new Pace((text) => scene.printer.progress(text));
        const result = await observeFile(scene.session, options.model, file, {
          version: options.version,
          ...(options.batch === undefined ? {} : { batch: options.batch }),
          columns: observedColumns(options),
          ignoreOthers: options.ignoreOthers === true,
          onProgress: (done, rows) => pace.seen(done, rows, 'rows'),
        });
        scene.printer.result(result, observedSummary);
      }),
    );
}

const observedColumns = ({
  column,
  scoreColumn,
  labelColumn,
  atColumn,
  idColumn,
}: ObserveOptions): ObserveColumns => ({
  inputs: column,
  ...(scoreColumn === undefined ? {} : { score: scoreColumn }),
  ...(labelColumn === undefined ? {} : { label: labelColumn }),
  ...(atColumn === undefined ? {} : { at: atColumn }),
  ...(idColumn === undefined ? {} : { id: idColumn }),
});

function mapped(text: string, before: Readonly<Record<string, string>>): Record<string, string> {
  const [input = '', ...column] = text.split('=');
  if (input === '' || column.join('=') === '')
    throw new InvalidArgumentError('It must be like INPUT=COLUMN.');
  return { ...before, [input]: column.join('=') };
}

function addLabelsCommand(program: Command, stage: Stage): void {
  program
    .command('labels')
    .summary('join a file of labels to the requests that they are about')
    .description(
      'Joins labels that have become known to what the model answered, by request id. The same file again changes nothing.\n' +
        'Exit code 1 when labels were refused; the others are kept all the same.',
    )
    .argument('<file>', 'Parquet, CSV or JSON lines')
    .requiredOption('--model <name>')
    .option('--id-column <name>', 'request id (default: id)')
    .option('--row-column <name>', 'row of the request, from 0 (default: row, where there is one; else 0)')
    .option('--label-column <name>', "a class of the model's prediction, or a number (default: label)")
    .option('--at-column <name>', 'when the label became known (default: at, where there is one; else now)')
    .addHelpText('after', '\nExample:\n  tenure labels paid.parquet --model late-payment --label-column late')
    .action(
      stage.act(async (scene, [file = ''], options: LabelsOptions) => {
        const pace = new Pace((text) => scene.printer.progress(text));
        const result = await labelFile(scene.session, options.model, file, {
          columns: columnsOf(options),
          onProgress: (done, rows) => pace.seen(done, rows, 'labels'),
        });
        scene.printer.result(result, labelsSummary);
        return result.refused.total > 0 ? Exit.failed : Exit.fine;
      }),
    );
}

const columnsOf = ({ idColumn, rowColumn, labelColumn, atColumn }: LabelsOptions): LabelColumns => ({
  ...(idColumn === undefined ? {} : { id: idColumn }),
  ...(rowColumn === undefined ? {} : { row: rowColumn }),
  ...(labelColumn === undefined ? {} : { label: labelColumn }),
  ...(atColumn === undefined ? {} : { at: atColumn }),
});
