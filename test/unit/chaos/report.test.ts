import assert from 'node:assert/strict';
import type { Driven } from '../../support/chaos/driver.js';
import type { ModelFacts } from '../../support/chaos/invariants.js';
import { type Found, reportOf, reportText } from '../../support/chaos/report.js';

const driven = (kind: Driven['kind'], outcome: string, seconds: number): Driven => ({
  release: 1,
  version: 'v1',
  kind,
  outcome,
  endedAt: 0,
  seconds,
});

const facts = (asked: number, answered: number, tries: number, longestGapMs: number): ModelFacts => ({
  model: 'm',
  events: [],
  ledgerProblems: [],
  releases: [],
  table: null,
  champion: null,
  inFlight: null,
  observed: {},
  answers: { asked, answered, tries, longestGapMs, lost: [], byVersion: {} },
  counted: 0,
});

const found: Found = {
  seed: 7,
  seconds: 60,
  killed: ['worker', 'mongod', 'worker'],
  marks: [
    { point: 'routes.set.after', hit: 1, action: 'kill', pid: 1 },
    { point: 'routes.set.after', hit: 2, action: 'kill', pid: 2 },
    { point: 'slot.load.before', hit: 1, action: 'kill', pid: 3 },
    { point: 'slot.load.before', hit: 1, action: 'pause', pid: 4 },
  ],
  driven: [
    driven('healthy', 'succeeded', 20),
    driven('healthy', 'succeeded', 31),
    driven('broken', 'aborted', 2),
  ],
  facts: [facts(100, 100, 103, 400), facts(50, 49, 50, 2_600)],
  violations: [{ model: 'm', rule: 'answers', what: '503' }],
};

describe('the report of chaos', () => {
  it('counts what was found', () => {
    assert.deepEqual(reportOf(found), {
      seed: 7,
      seconds: 60,
      releases: 3,
      outcomes: { healthy: { succeeded: 2 }, broken: { aborted: 1 } },
      slowestReleaseSeconds: 31,
      kills: [
        { process: 'gateway', at: 'slot.load.before', count: 1 },
        { process: 'mongod', at: 'signal', count: 1 },
        { process: 'worker', at: 'routes.set.after', count: 2 },
        { process: 'worker', at: 'signal', count: 2 },
      ],
      requests: { asked: 150, answered: 149, lost: 1, triedAgain: 3, longestGapMs: 2_600 },
      ledgerEvents: 0,
      violations: found.violations,
    });
  });

  it('says it in words, every violation among them', () => {
    const text = reportText(reportOf(found));
    for (const words of [
      /^Seed 7: 3 releases in 60 s/,
      /healthy +succeeded 2/,
      /Kills: 3 at any time, 3 at a fail point/,
      /worker +routes\.set\.after 2/,
      /150 asked, 149 answered, 1 lost, 3 tried again; .* 2\.6 s/,
      /Violations: 1\n +m, answers +503/,
    ])
      assert.match(text, words);
    assert.match(reportText(reportOf({ ...found, violations: [] })), /Violations: none$/);
  });

  it('of nothing has zeros', () => {
    const { requests, kills } = reportOf({ ...found, killed: [], marks: [], driven: [], facts: [] });
    assert.deepEqual(kills, []);
    assert.deepEqual(requests, { asked: 0, answered: 0, lost: 0, triedAgain: 0, longestGapMs: 0 });
  });
});
