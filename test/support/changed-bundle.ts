import type { WorkflowBundle } from '@temporalio/worker';
import { editedBundle } from './edited-bundle.js';
import { workflowBundle } from './workflow-env.js';

/** The workflows as they are, with `text` in one file (below `src`) replaced; see {@link editedBundle} for which texts. */
export const changedBundle = async (
  file: string,
  text: string,
  replacement: string,
): Promise<WorkflowBundle> => editedBundle(await workflowBundle(), file, text, replacement);
