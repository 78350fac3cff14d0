import type { Command } from 'commander';
import { type LabelColumns, labelFile } from '../../labels.js';
import { Exit } from '../exit.js';
import { labelsSummary, Pace } from '../render/observe.js';
import type { Stage } from '../scene.js';

interface LabelsOptions {
  readonly model: string;
  readonly idColumn?: string;
  readonly rowColumn?: string;
  readonly labelColumn?: string;
  readonly atColumn?: string;
}

export function addLabelsCommand(program: Command, stage: Stage): void {
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
