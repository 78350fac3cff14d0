import { strict as assert } from 'node:assert';
import { collect, recomputeOne } from '../../../src/client/verdicts.js';
import type { LedgerEvent } from '../../../src/contracts/ledger.js';
import { canaryPlan } from '../../../src/lifecycle/canary-plan.js';
import { initialJudge, judge } from '../../../src/statistics/canary/index.js';
import { manifest } from '../../support/manifests.js';

/** The events of a canary whose candidate gets worse, as the workflow records them. */
function events(): LedgerEvent[] {
  const plan = canaryPlan(manifest());
  const history = { errors: { bad: 20, keys: 2_000 } };
  let state = initialJudge(plan, history);
  const event = (sequence: number, action: string, evidence: object): LedgerEvent => ({
    stream: 'm',
    id: `${sequence}`,
    sequence,
    previousHash: '0'.repeat(64),
    action,
    actor: { kind: 'system', id: 'release:m:1' },
    subject: { release: 1 },
    // What the ledger gives back has been through JSON.
    evidence: JSON.parse(JSON.stringify(evidence)) as LedgerEvent['evidence'],
    at: '2026-01-01T00:00:00.000Z',
  });
  const recorded = [event(1, 'canary.planned', { plan, history })];
  for (let look = 1; look <= 5; look += 1) {
    const arm = (keys: number, bad: number) => {
      const cells = { errors: bad };
      return { requests: keys, keys, firstBad: cells, newBad: cells, bad: cells };
    };
    const counts = {
      sampleRate: 1,
      generations: [
        {
          generation: 2,
          candidateShare: 0.1,
          candidate: arm(60 * look, look),
          champion: arm(540 * look, 5 * look),
        },
      ],
    };
    const moment = { step: 0, sinceGeneration: 2, seconds: look, atHorizon: false, soaking: look === 5 };
    const judged = judge(state, plan, counts, moment);
    state = judged.state;
    recorded.push(
      event(1 + look, look === 5 ? 'release.soak-look' : 'canary.look', {
        counts,
        moment,
        look: judged.look,
        why: 'keys',
      }),
    );
  }
  return recorded;
}

function check(recorded: readonly LedgerEvent[]) {
  const canaries: Parameters<typeof collect>[0] = new Map();
  for (const event of recorded) collect(canaries, event);
  return [...canaries].map(([release, canary]) => recomputeOne(release, canary));
}

describe('Verdicts recomputed from the ledger', () => {
  it('come out as they were recorded', () => {
    const [result] = check(events());
    assert.deepEqual(
      { ...result, judges: [] },
      { release: 1, looks: 5, judges: [], result: 'same', firstDifference: null },
    );
  });

  it('show the first verdict that does not follow from its inputs', () => {
    const recorded = events();
    const third = recorded[3] as unknown as {
      evidence: { counts: { generations: { candidate: { keys: number } }[] } };
    };
    const [generation] = third.evidence.counts.generations;
    if (generation !== undefined) generation.candidate.keys += 1;
    const [result] = check(recorded);
    assert.equal(result?.result, 'different');
    assert.equal(result?.firstDifference, 4);
  });

  it('say nothing of verdicts of another version of the deciding code', () => {
    const recorded = events();
    const look = (recorded[1] as unknown as { evidence: { look: { judge: string } } }).evidence.look;
    look.judge = 'canary-judge/0123456789ab';
    assert.equal(check(recorded)[0]?.result, 'other-code');
  });
});
