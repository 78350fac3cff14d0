import type { Difference } from '../../contracts/doctor.js';
import type { DoctorFacts } from './facts.js';
import { viewOf } from './work.js';

/**
 * The workflows of incidents against what the model says of them. One that is over tells its model before it closes; one that was
 * terminated holds promotions back for ever.
 */
export function incidentDifferences({ parts }: DoctorFacts): readonly Difference[] {
  const { model, incidents = [] } = parts;
  const known = viewOf(parts)?.incidents ?? [];
  return incidents.flatMap((found) => {
    const of = known.find(({ incident }) => incident === found.incident);
    if (found.state === 'open' || of === undefined) return [];
    const isHolding = of.holds && of.standing === 'open';
    const held = isHolding ? ', and holds promotions back' : '';
    return [
      {
        code: 'incident-lost' as const,
        model,
        subject: `incident ${found.incident}`,
        severity: isHolding ? ('critical' as const) : ('warning' as const),
        expected: `workflow incident:${model}:${found.incident} runs: the model has it ${of.standing}${held}`,
        found: found.state === 'closed' ? `it is closed (${found.how})` : 'there is none',
        advice:
          '`tenure doctor --repair` lets the model ask after it and let go of it. If its cause is found again, that is another incident',
        remedy: 'let-go' as const,
      },
    ];
  });
}
