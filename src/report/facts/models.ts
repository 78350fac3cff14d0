import type { Db, Document } from 'mongodb';
import { POLICY_GROUPS, type MonitorAction } from '../../contracts/monitoring.js';
import { changedBasis } from '../../lifecycle/validation-basis.js';
import { collectionsOf } from '../../platform/mongo/index.js';
import { cases, eventsWith, numberOf, versionOf } from './expressions.js';
import type { FactScope, ModelAct, ModelFact, RegistrationFact } from './types.js';

const TRIGGERS = '$evidence.manifest.retraining.triggers';
const POLICY = '$evidence.manifest.monitoring.policy';
const isSet = (field: string): Document => ({ $ne: [{ $ifNull: [field, null] }, null] });

const RETRAIN: MonitorAction = 'retrain';
/** The manifest on record has its tier's defaults filled in. One without monitoring has no policy, and no finding asks for anything. */
const policyAsks: Document = {
  $or: POLICY_GROUPS.map((group) => `${POLICY}.${group}`).map((actions) => ({
    $in: [RETRAIN, { $cond: [{ $isArray: actions }, actions, []] }],
  })),
};

/** Each model by the newest manifest that was applied. */
export const readModels = (db: Db, scope: FactScope): Promise<ModelFact[]> =>
  collectionsOf(db)
    .ledger.aggregate<ModelFact>(
      [
        ...eventsWith(scope, ['manifest.applied'], {
          team: '$evidence.manifest.team',
          owner: '$evidence.manifest.owner',
          riskTier: '$evidence.manifest.riskTier',
          purpose: '$evidence.manifest.purpose',
          revalidateSeconds: numberOf('$evidence.manifest.monitoring.revalidateSeconds'),
          automated: {
            $or: [
              { $and: [{ $eq: [`${TRIGGERS}.finding`, true] }, policyAsks] },
              isSet(`${TRIGGERS}.schedule`),
              isSet(`${TRIGGERS}.newLabels`),
              isSet(`${TRIGGERS}.maxAgeSeconds`),
            ],
          },
        }),
        { $group: { _id: '$model', newest: { $last: '$$ROOT' } } },
        { $replaceWith: '$newest' },
        { $unset: ['sequence', 'action', 'at'] },
        { $sort: { model: 1 } },
      ],
      { allowDiskUse: true },
    )
    .toArray();

/** When manifests were applied that changed what validations rest on, each compared with the one before it. */
export async function readBasisChanges(
  db: Db,
  scope: FactScope,
): Promise<readonly { readonly model: string; readonly at: number }[]> {
  const manifests = collectionsOf(db).ledger.aggregate<{ model: string; at: number; manifest: unknown }>(
    [
      ...eventsWith(scope, ['manifest.applied'], { manifest: '$evidence.manifest' }),
      { $match: { at: { $ne: null } } },
    ],
    { allowDiskUse: true },
  );
  const changes: { model: string; at: number }[] = [];
  let before: { readonly model: string; readonly manifest: unknown } = { model: '', manifest: null };
  // One at a time: all manifests that a fleet has had are too much to hold.
  for await (const { model, at, manifest } of manifests) {
    if (before.model === model && changedBasis(before.manifest, manifest).length > 0)
      changes.push({ model, at });
    before = { model, manifest };
  }
  return changes;
}

/** When each version was registered first. */
export const readRegistrations = (db: Db, scope: FactScope): Promise<RegistrationFact[]> =>
  collectionsOf(db)
    .ledger.aggregate<RegistrationFact>(
      [
        ...eventsWith(scope, ['version.registered'], { version: '$subject.version' }),
        { $match: { version: { $type: 'string' }, at: { $ne: null } } },
        { $group: { _id: { model: '$model', version: '$version' }, at: { $min: '$at' } } },
        { $project: { _id: 0, model: '$_id.model', version: '$_id.version', at: 1 } },
      ],
      { allowDiskUse: true },
    )
    .toArray();

const ROLLED_BACK = 'model.rolled-back';

/** What changed who serves a model without being a release. */
export const readActs = (db: Db, scope: FactScope): Promise<ModelAct[]> =>
  collectionsOf(db)
    .ledger.aggregate<ModelAct>([
      ...eventsWith(scope, [ROLLED_BACK, 'model.retired', 'model.realigned', 'model.recovered'], {
        to: versionOf('$subject'),
        champion: versionOf('$subject.champion'),
        from: { $ifNull: ['$subject.from.digest', null] },
        byPerson: { $eq: ['$actor.kind', 'person'] },
      }),
      {
        $set: {
          serves: cases(
            [
              [{ $eq: ['$action', ROLLED_BACK] }, '$to'],
              [{ $eq: ['$action', 'model.retired'] }, null],
            ],
            '$champion',
          ),
        },
      },
      { $unset: ['to', 'champion'] },
    ])
    .toArray();
