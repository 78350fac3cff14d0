import type { Difference, ModelParts } from '../../contracts/doctor.js';
import { release as releaseIn } from '../model-state.js';
import { isOutcome, isStage } from '../stages.js';
import type { DoctorFacts } from './facts.js';
import { viewOf } from './work.js';

type Found = ModelParts['releases'][number];

/** The workflows of releases against what the model says of them. */
export function releaseDifferences(facts: DoctorFacts): readonly Difference[] {
  const view = viewOf(facts.parts);
  if (view === null) return [];
  return facts.parts.releases.flatMap((found) => {
    if (found.release === view.inFlight) return found.state === 'open' ? [] : [gone(facts, found)];
    if (found.state !== 'open') return [];
    const summary = view.releases.find(({ release }) => release === found.release);
    // One that has told its end may take a while to close: it records what is left, and answers everybody.
    const hasEnded = found.view !== null && found.view.outcome !== null;
    return hasEnded && summary !== undefined && summary.endedAt !== null
      ? []
      : [unknown(facts, found, summary === undefined ? 'does not know it' : `has it as ${summary.stage}`)];
  });
}

/** The end that the record has of a release; null when it has none. */
export const recordedEnd = ({ recorded }: DoctorFacts, number: number) => {
  const summary = recorded.state === null ? undefined : releaseIn(recorded.state, number);
  if (summary === undefined || summary.endedAt === null) return null;
  return isStage(summary.stage) && isOutcome(summary.stage) ? { ...summary, stage: summary.stage } : null;
};

function gone(facts: DoctorFacts, found: Found): Difference {
  const { model } = facts.parts;
  const { release } = found;
  const end = recordedEnd(facts, release);
  const how = found.state === 'closed' ? `it is closed (${found.how})` : 'there is none';
  const common = { model, subject: `release ${release}`, severity: 'critical' as const };
  return end === null
    ? {
        ...common,
        code: 'release-lost',
        expected: `workflow release:${model}:${release} runs: the model has it in flight`,
        found: how,
        advice: '`tenure doctor --repair` lets the model take its traffic back; the champion serves',
        remedy: 'take-back',
      }
    : {
        ...common,
        code: 'release-unreported',
        expected: `the model knows that it ended ${end.stage}`,
        found: 'the model has it in flight',
        advice: '`tenure doctor --repair` tells the model',
        remedy: 'tell-end',
      };
}

const unknown = ({ parts }: DoctorFacts, { release }: Found, said: string): Difference => ({
  code: 'release-unknown',
  model: parts.model,
  subject: `release ${release}`,
  severity: 'critical',
  expected: `workflow release:${parts.model}:${release} does not run: the model ${said}`,
  found: 'it runs',
  advice:
    'Two owners of one traffic: `tenure doctor --repair` terminates it and sets the routing table again. An end that was reset in Temporal looks like this',
  remedy: 'stop-release',
});
