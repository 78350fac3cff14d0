import type { Difference } from '../../contracts/doctor.js';
import type { DoctorFacts } from './facts.js';

/** Artifacts that are missing or damaged. Only another copy can mend that. */
export const artifactDifferences = ({ parts }: DoctorFacts): readonly Difference[] =>
  parts.artifacts.map(({ version, digest, state, detail }) => ({
    code: state === 'missing' ? 'artifact-missing' : 'artifact-corrupt',
    model: parts.model,
    subject: version,
    severity: 'critical',
    expected: `the artifact ${digest.slice(0, 12)} of ${version} in the store, as it was registered`,
    found: detail,
    advice:
      `Gateways that have it loaded serve on; one that starts cannot load it. Tenure has no other copy: take the file from where the ` +
      `version was made, or from a backup, and run \`tenure version register ${parts.model} ${version} FILE --digest ${digest}\``,
    remedy: null,
  }));

/** The registry against the registrations on record. */
export function registryDifferences({ parts, versions }: DoctorFacts): readonly Difference[] {
  const registered = new Map(parts.registered.map(({ version, digest }) => [version, digest]));
  return versions.flatMap(({ version, digest }): readonly Difference[] => {
    const found = registered.get(version);
    if (found === digest) return [];
    const common = { model: parts.model, subject: version, expected: `${version} with digest ${digest}` };
    return found === undefined
      ? [
          {
            ...common,
            code: 'registry-missing',
            severity: 'warning',
            found: 'it is not in the registry',
            advice: '`tenure doctor --repair` puts it back, as its registration was recorded',
            remedy: 'register',
          },
        ]
      : [
          {
            ...common,
            code: 'registry-differs',
            severity: 'critical',
            found: `digest ${found}`,
            advice:
              'The registry was changed past Tenure, and whatever is released under this name now is not what was registered. Remove the entry from the collection `versions`, then `tenure doctor --repair` puts the recorded one back',
            remedy: null,
          },
        ];
  });
}
