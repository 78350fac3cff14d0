import type { Db, Document } from 'mongodb';
import { collectionsOf } from '../../platform/mongo/index.js';
import { cases, eventsWith, firstOf, firstTime, numberOf, textOf, timeOf } from './expressions.js';
import type { FactScope, IncidentFact } from './types.js';

const ACTIONS = ['opened', 'repeated', 'acknowledged', 'mitigated', 'resolved', 'reopened', 'lost'].map(
  (what) => `incident.${what}`,
);

const is = (what: string): Document => ({ $eq: ['$$this.action', `incident.${what}`] });
const [mitigated, resolved, lost] = ['$$value.mitigated', '$$value.resolved', '$$value.lost'];
const orNow = (field: string): Document => ({ $ifNull: [field, '$$this.at'] });

/** Mitigation and resolution hold until it is reopened; what was lost does not come back. */
const state: Document = {
  $reduce: {
    input: '$events',
    initialValue: { mitigated: null, resolved: null, lost: null },
    in: cases(
      [
        [is('reopened'), { mitigated: null, resolved: null, lost }],
        [is('mitigated'), { mitigated: orNow(mitigated), resolved, lost }],
        [is('resolved'), { mitigated, resolved: orNow(resolved), lost }],
        [is('lost'), { mitigated, resolved, lost: orNow(lost) }],
      ],
      '$$value',
    ),
  },
};

const REVALIDATION = 'revalidation';
const ROLLED_BACK = 'rolled-back';

/** One row an incident that was opened: the worst of its severities, the first release that it names, all of its findings. */
export const readIncidents = (db: Db, scope: FactScope): Promise<IncidentFact[]> =>
  collectionsOf(db)
    .ledger.aggregate<IncidentFact>(
      [
        ...eventsWith(scope, ACTIONS, {
          incident: numberOf('$subject.incident'),
          severity: textOf('$evidence.severity'),
          origin: textOf('$evidence.origin'),
          onset: timeOf('$evidence.onset'),
          detected: timeOf('$evidence.detected'),
          release: numberOf('$evidence.release'),
          findings: { $cond: [{ $isArray: '$evidence.findings' }, '$evidence.findings', []] },
        }),
        { $match: { incident: { $ne: null }, at: { $ne: null } } },
        { $group: { _id: { model: '$model', incident: '$incident' }, events: { $push: '$$ROOT' } } },
        { $set: { opened: firstOf('incident.opened'), state } },
        { $match: { 'opened.severity': { $in: ['info', 'warning', 'critical'] } } },
        {
          $project: {
            _id: 0,
            model: '$_id.model',
            incident: '$_id.incident',
            severity: cases(
              (['critical', 'warning'] as const).map((severity) => [
                { $in: [severity, '$events.severity'] },
                severity,
              ]),
              'info',
            ),
            opened: '$opened.at',
            onset: '$opened.onset',
            detected: '$opened.detected',
            // A reminder of a revalidation names what serves, which is not to blame for it.
            release: {
              $cond: [
                { $eq: ['$opened.origin', REVALIDATION] },
                null,
                {
                  $ifNull: [
                    { $first: { $filter: { input: '$events.release', cond: { $ne: ['$$this', null] } } } },
                    null,
                  ],
                },
              ],
            },
            tookBack: { $eq: ['$opened.origin', ROLLED_BACK] },
            findings: {
              $reduce: {
                input: '$events.findings',
                initialValue: [],
                in: { $setUnion: ['$$value', '$$this'] },
              },
            },
            acknowledged: { $ifNull: [firstTime('incident.acknowledged'), null] },
            mitigated: '$state.mitigated',
            resolved: '$state.resolved',
            lost: '$state.lost',
          },
        },
        { $sort: { model: 1, incident: 1 } },
      ],
      { allowDiskUse: true },
    )
    .toArray();

/** When people said that a version was validated anew: they resolved the incident that had reminded them. */
export const readRevalidations = (
  db: Db,
  scope: FactScope,
): Promise<{ readonly model: string; readonly at: number }[]> =>
  collectionsOf(db)
    .ledger.aggregate<{ model: string; at: number }>([
      ...eventsWith(scope, ['incident.opened', 'incident.resolved'], {
        incident: numberOf('$subject.incident'),
        origin: textOf('$evidence.origin'),
        byPerson: { $eq: ['$actor.kind', 'person'] },
      }),
      { $group: { _id: { model: '$model', incident: '$incident' }, events: { $push: '$$ROOT' } } },
      { $match: { events: { $elemMatch: { action: 'incident.opened', origin: REVALIDATION } } } },
      { $unwind: '$events' },
      { $match: { 'events.action': 'incident.resolved', 'events.byPerson': true } },
      { $project: { _id: 0, model: '$_id.model', at: '$events.at' } },
    ])
    .toArray();
