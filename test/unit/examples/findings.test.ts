import assert from 'node:assert/strict';
import { askedBy, DRIFT, firstPlace } from '../../../examples/employment/demo/findings.js';
import type { LedgerEvent } from '../../../src/contracts/ledger.js';
import type { Finding, FindingKind } from '../../../src/contracts/monitoring.js';

/** The change is made just after the begin of a window of ten seconds. */
const BEGIN = Date.parse('2026-11-01T10:00:00.000Z');
const CHANGED = BEGIN + 4;
const LENGTH = 10;
const iso = (seconds: number): string => new Date(BEGIN + seconds * 1_000).toISOString();

/** @param from seconds from the begin of the window of the change */
const finding = (kind: FindingKind, from: number, overrides: Partial<Finding> = {}): Finding => ({
  id: `survey/${kind}/${from}`,
  model: 'survey',
  version: null,
  kind,
  cause: kind,
  verdict: 'found',
  severity: 'warning',
  summary: `${kind} at ${from}`,
  features: [],
  rows: 2_000,
  onset: null,
  window: { from: iso(from), to: iso(from + LENGTH), digest: 'd' },
  profile: null,
  detectedAt: iso(from + LENGTH + 2),
  ...overrides,
});

describe('the demo: where a fault was found', () => {
  const place = (findings: readonly Finding[], changed = CHANGED) => {
    const { isFirst, words } = firstPlace(findings, DRIFT, changed, LENGTH);
    return [isFirst, words];
  };
  const inFault = [true, 'in the window of the fault'];
  const after = [true, 'in the first window after the fault'];

  it('is its window or the one after it, whichever kind of drift was first', () => {
    assert.deepEqual(place([finding('data-drift', 0)]), inFault);
    assert.deepEqual(place([finding('skew', 10)]), after);
    assert.deepEqual(place([finding('data-drift', 20), finding('prediction-drift', 10)]), after);
    assert.deepEqual(place([finding('data-drift', 20), finding('prediction-drift', 0)]), inFault);
  });

  it('holds with a clock that wakes a little early or late', () => {
    for (const changed of [BEGIN - 2, BEGIN, BEGIN + 900]) {
      assert.deepEqual(place([finding('skew', 0)], changed), inFault);
      assert.deepEqual(place([finding('skew', 10)], changed), after);
      assert.equal(place([finding('skew', 20)], changed)[0], false);
      assert.equal(place([finding('skew', -10)], changed)[0], false);
    }
  });

  it('is no window before it, no later one, and none of another kind or verdict', () => {
    const before = [false, `in a window that ended before it, at ${iso(-590)}`];
    assert.deepEqual(place([finding('data-drift', -600)]), before);
    assert.deepEqual(place([finding('data-drift', 0), finding('data-drift', -600)]), before);
    assert.deepEqual(place([finding('data-drift', 20)]), [
      false,
      'in a window that began 20 s after the fault',
    ]);
    assert.deepEqual(place([finding('data-quality', 0)]), [false, 'nowhere']);
    assert.deepEqual(place([finding('data-drift', 0, { verdict: 'immaterial' })]), [false, 'nowhere']);
  });

  it('is a stretch of several windows with too few rows, when the fault lies in it', () => {
    const window = { from: iso(-10), to: iso(10), digest: 'd' };
    assert.deepEqual(place([finding('data-drift', -10, { window })]), inFault);
  });
});

describe('the demo: what asked for a retraining', () => {
  let sequence = 0;
  const event = (what: string, retraining: number, evidence: LedgerEvent['evidence']): LedgerEvent => ({
    stream: 'survey',
    sequence: (sequence += 1),
    previousHash: '0'.repeat(64),
    id: `retraining:survey:${retraining}/${what}`,
    action: `retraining.${what}`,
    actor: { kind: 'system', id: 'model:survey' },
    subject: { retraining },
    evidence,
    at: iso(20),
  });
  const run = (retraining: number, why: LedgerEvent['evidence']): readonly LedgerEvent[] => [
    event('requested', retraining, why),
    event('started', retraining, {}),
    event('ended', retraining, { outcome: 'submitted', release: 2 }),
  ];
  const by = ({ id }: Finding) => ({ trigger: 'finding', finding: id });
  const estimated = finding('estimated-performance', 0);
  const measured = finding('measured-performance', 10);
  const drift = finding('data-drift', 0);
  const before = finding('estimated-performance', -10);
  const found = [estimated, measured, drift, before];
  const asked = (events: readonly LedgerEvent[], findings = found) => askedBy(events, findings, CHANGED);

  it('is the finding of a performance that fell since the change', () => {
    assert.equal(asked(run(1, by(estimated))), estimated);
    assert.equal(asked(run(1, by(measured))), measured);
  });

  it('is nothing else: a person, the clock, drift, a finding of before', () => {
    assert.equal(asked(run(1, { trigger: 'hand', finding: null })), undefined);
    assert.equal(asked(run(1, { trigger: 'schedule', finding: null })), undefined);
    assert.equal(asked(run(1, by(drift))), undefined);
    assert.equal(asked(run(1, by(before))), undefined);
    assert.equal(asked(run(1, by(estimated)), [measured]), undefined);
    assert.equal(asked(run(1, by(estimated)), [{ ...estimated, verdict: 'immaterial' }]), undefined);
    assert.equal(asked([]), undefined);
  });

  it('is looked for in the request of the one that ended', () => {
    const first = event('requested', 1, by(estimated));
    const second = run(2, { trigger: 'schedule', finding: null });
    assert.equal(asked([first, ...second]), undefined);
    assert.equal(asked(second.slice(1)), undefined);
  });
});
