/** Trains all versions of the employment model: `npx tsx examples/employment/train.ts`. */
import { trainModels } from './models.js';

await trainModels({
  onTrained: ({ path, digest, bytes, lineage }) => {
    process.stdout.write(`${path}  ${bytes} bytes  ${digest.slice(0, 12)}  ${lineage.trainingSeconds} s\n`);
  },
});
