import { strict as assert } from 'node:assert';
import { parse } from 'yaml';
import type { LedgerEntry } from '../../../src/contracts/ledger.js';
import { MongoLedger } from '../../../src/ledger/index.js';
import { resolveManifest } from '../../../src/manifest/index.js';
import { collectionsOf, prepareDatabase, type TenureDatabase } from '../../../src/platform/mongo/index.js';
import { WINDOW_COLLECTIONS } from '../../../src/platform/windows/collections.js';
import { makeReport } from '../../../src/report/fleet-report.js';
import { openTestDatabase } from '../../support/database.js';
import { MINIMAL } from '../../support/model-yaml.js';

const APPROVERS = { approvers: ['ben', { name: 'cleo', roles: ['risk'] }] };
const trained = (triggers: object = {}) => ({
  retraining: { command: ['train'], data: 'rows.parquet', triggers },
});

/** What a file says beside the least; the rest is its tier's. */
const FILES: Readonly<Record<string, readonly [file: object, retrainsItself: boolean]>> = {
  'experimental, whose policy only notifies': [{ riskTier: 'experimental', ...trained() }, false],
  low: [{ riskTier: 'low', ...trained() }, true],
  medium: [{ riskTier: 'medium', ...trained() }, true],
  'high, whose policy leaves training to people': [{ riskTier: 'high', ...trained() }, false],
  'high, with a policy that asks': [
    { riskTier: 'high', ...trained(), monitoring: { policy: { drift: ['notify', 'retrain'] } } },
    true,
  ],
  'low, with a policy that does not ask': [
    {
      riskTier: 'low',
      ...trained(),
      monitoring: { policy: { drift: ['notify'], performance: ['notify', 'roll-back'] } },
    },
    false,
  ],
  'low, not monitored': [{ riskTier: 'low', ...trained(), monitoring: null }, false],
  'low, without that trigger': [{ riskTier: 'low', ...trained({ finding: false }) }, false],
  'low, without a trainer': [{ riskTier: 'low' }, false],
  'not monitored, by the clock': [
    { riskTier: 'high', monitoring: null, ...trained({ schedule: { cron: '0 3 * * *', timeZone: 'UTC' } }) },
    true,
  ],
  'high, by labels': [{ riskTier: 'high', ...trained({ finding: false, newLabels: 1000 }) }, true],
  'high, by age': [{ riskTier: 'high', ...trained({ maxAgeSeconds: '30d' }) }, true],
};

/** As it is recorded when the file is applied. */
function applied(file: object): LedgerEntry['evidence'] {
  const resolved = resolveManifest({
    ...(parse(MINIMAL) as object),
    validation: {
      data: 'validation.parquet',
      target: 'left',
      gates: [{ kind: 'metric', metric: 'auc', min: 0.8 }],
    },
    approval: { beforeDeploy: APPROVERS, beforePromote: APPROVERS },
    ...file,
  });
  assert.ok(resolved.ok, JSON.stringify(resolved));
  return { manifest: resolved.manifest } as unknown as LedgerEntry['evidence'];
}

describe('report: automated retraining', function () {
  this.timeout(30_000);
  let database: TenureDatabase & { drop(): Promise<void> };
  before(async () => {
    database = await openTestDatabase();
    await prepareDatabase(database.db, WINDOW_COLLECTIONS);
  });
  after(() => database.drop());

  it('is what can begin without a person', async () => {
    const ledger = new MongoLedger(collectionsOf(database.db).ledger);
    const promoted = { release: 1, version: 'v1', digest: '1'.repeat(64) };
    const base = { actor: { kind: 'person', id: 'ada' }, at: '2026-11-01T10:00:00.000Z' } as const;
    for (const [stream, [file]] of Object.entries(FILES))
      await ledger.append([
        {
          ...base,
          stream,
          id: `${stream}/1`,
          action: 'manifest.applied',
          subject: { revision: 1 },
          evidence: applied(file),
        },
        {
          ...base,
          stream,
          id: `${stream}/2`,
          action: 'release.promoted',
          subject: promoted,
          evidence: { former: null },
        },
      ]);
    const day = { since: '2026-11-01T00:00:00.000Z', until: '2026-11-02T00:00:00.000Z' };
    const { byModel, retraining } = await makeReport(database.db, { ...day, model: null, team: null });
    assert.deepEqual(
      Object.fromEntries(byModel.map(({ model, automatedRetraining }) => [model, automatedRetraining])),
      Object.fromEntries(Object.entries(FILES).map(([model, [, retrainsItself]]) => [model, retrainsItself])),
    );
    assert.deepEqual([retraining.enabled.part, retraining.enabled.whole], [6, 12]);
  });
});
