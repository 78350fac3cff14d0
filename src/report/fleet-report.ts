import type { Db } from 'mongodb';
import type { FleetReport, ReportScope } from '../contracts/report.js';
import { readFacts } from './facts/index.js';
import { readModels } from './facts/models.js';
import type { FactScope } from './facts/types.js';
import { reportOf } from './figures/index.js';

/** Nothing on record is meant by the scope. */
export class ReportScopeError extends Error {
  override readonly name = 'ReportScopeError';
}

/**
 * Computes the figures of a stretch of time from the ledger and the windows. It only reads; the same record gives the same report.
 * @throws ReportScopeError for a model or a team that is not on record
 */
export async function makeReport(db: Db, scope: ReportScope): Promise<FleetReport> {
  const { since, until, model, team } = scope;
  const all: FactScope = {
    since: Date.parse(since),
    until: Date.parse(until),
    models: model === null ? null : [model],
  };
  return reportOf(
    await readFacts(db, team === null && model === null ? all : await narrow(db, all, scope)),
    scope,
  );
}

async function narrow(db: Db, all: FactScope, { model, team, until }: ReportScope): Promise<FactScope> {
  const known = await readModels(db, all);
  if (model !== null && known.length === 0)
    throw new ReportScopeError(`The ledger holds nothing of ${model} before ${until}`);
  const models = known.filter((fact) => team === null || fact.team === team);
  if (models.length > 0) return { ...all, models: models.map((fact) => fact.model) };
  const teams = [...new Set(known.map((fact) => fact.team))].sort();
  throw new ReportScopeError(
    model === null
      ? `No model of team ${team} is on record before ${until}; teams: ${listed(teams)}`
      : `${model} is of team ${teams[0]}, not of ${team}`,
  );
}

const MOST_NAMES = 20;
const listed = (names: readonly string[]): string =>
  names.length === 0
    ? 'none'
    : `${names.slice(0, MOST_NAMES).join(', ')}${names.length > MOST_NAMES ? ' …' : ''}`;
