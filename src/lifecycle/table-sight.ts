import type { TableSight } from '../contracts/activities.js';
import type { ModelState } from './model-state.js';

/**
 * What is wrong between the traffic that a model's workflow knows of and its routing table, while nothing changes it; null when
 * nothing is. The table may have been changed by hand, or the workflow may be one that has lost its state: a release that started
 * from that would compare with the wrong version, and take back to it.
 * @param table null: there is none; undefined: it was not looked at
 */
export function tableProblem(state: ModelState, table: TableSight | null | undefined): string | null {
  if (table === undefined || isKnown(state, table)) return null;
  const { name } = state.manifest;
  const known = state.generation === null ? 'none' : `generation ${state.generation}`;
  const seen = table === null ? 'is gone' : `is at generation ${table.generation}, by ${table.changeId}`;
  return (
    `the routing table of ${name} ${seen}, and its workflow knows ${known}: it was changed by hand, or the workflow has lost its ` +
    'state. See `tenure doctor`'
  );
}

function isKnown(state: ModelState, table: TableSight | null): boolean {
  if (table === null) return state.generation === null;
  // An act of the model's own that was written and not seen everywhere.
  return table.generation === state.generation || isOwn(state, table);
}

const isOwn = ({ manifest, generation }: ModelState, { changeId }: TableSight): boolean =>
  generation !== null && changeId.startsWith(`model:${manifest.name}/`);

/** The generation that the table is at by the model's own act, as the next release must know it. */
export const withTable = (state: ModelState, table: TableSight | null | undefined): ModelState =>
  table !== null && table !== undefined && isOwn(state, table) && table.generation !== state.generation
    ? { ...state, generation: table.generation }
    : state;
