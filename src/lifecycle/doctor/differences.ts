import type { Difference } from '../../contracts/doctor.js';
import type { DoctorFacts } from './facts.js';
import { incidentDifferences } from './incidents.js';
import { modelDifferences } from './model.js';
import { gatewayDifferences, routeDifferences } from './routes.js';
import { releaseDifferences } from './releases.js';
import { artifactDifferences, registryDifferences } from './versions.js';

/**
 * Where the parts of one model disagree. Pure.
 *
 * What is under way is no difference: whose release runs, or who has acts to do or events to record, may be ahead of the record or
 * behind it for a moment. Parts are read one after the other, so what is found counts only when it is found a second time.
 */
export function differences(facts: DoctorFacts): readonly Difference[] {
  const { bad, model } = facts.parts;
  const always = [...gatewayDifferences(facts), ...artifactDifferences(facts)];
  if (bad !== null) {
    // The record is what everything else is compared with: of a model whose record is broken nothing more can be said.
    return [
      {
        code: 'ledger-broken',
        model,
        subject: '',
        severity: 'critical',
        expected: 'a whole chain that ends in the head that the workflows carry',
        found: `event ${bad.sequence}: ${bad.kind}: ${bad.detail}`,
        advice:
          'Nothing on this model is repaired while its record is broken. Keep the database as it is, and see "ledger verify fails" in docs/operations.md',
        remedy: null,
      },
      ...always,
    ];
  }
  return [
    ...modelDifferences(facts),
    ...releaseDifferences(facts),
    ...incidentDifferences(facts),
    ...routeDifferences(facts),
    ...registryDifferences(facts),
    ...always,
  ];
}

/** Those that were found both times, as they were found the second time. */
export function lasting(before: readonly Difference[], after: readonly Difference[]): readonly Difference[] {
  const known = new Set(before.map(identity));
  return after.filter((difference) => known.has(identity(difference)));
}

const identity = ({ model, code, subject, found }: Difference): string =>
  JSON.stringify([model, code, subject, found]);
