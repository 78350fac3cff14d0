import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { evaluateModel } from '../../../../src/statistics/monitor/evaluate.js';
import type { Evaluation, MonitoredWindow, TrafficSlot } from '../../../../src/statistics/monitor/types.js';
import { createRandom } from '../../../support/random.js';
import { HOUR, latencyOf, MadeModel, Monitored, PROFILE, VERSION } from './made-model.js';

const kinds = ({ findings }: Evaluation): string[] =>
  findings.filter(({ verdict }) => verdict === 'found').map(({ kind }) => kind);

/** A model whose first windows are as the reference, so that what comes is not skew. */
function settled(features = 3, settings: ConstructorParameters<typeof Monitored>[1] = {}) {
  const random = createRandom(7);
  const model = new MadeModel(random, features);
  const monitored = new Monitored(model.profile, settings);
  for (let i = 0; i < 5; i += 1) monitored.hour({ features: model.counts() });
  assert.deepEqual(monitored.found, []);
  return { random, model, monitored };
}

describe('a monitor of inputs', () => {
  it('finds a shift in its window, with effect, interval, p, rows and onset, and tells it once', () => {
    const { model, monitored } = settled();
    const { findings } = monitored.hour({ features: model.counts({ means: { 1: 0.8 } }) });
    const [finding] = findings;
    assert.equal(findings.length, 1);
    assert.equal(finding?.id, `employment/data-drift/${monitored.at}`);
    assert.deepEqual(
      [finding.kind, finding.cause, finding.verdict, finding.severity, finding.rows],
      ['data-drift', 'data-drift', 'found', 'warning', 500],
    );
    assert.deepEqual([finding.version, finding.profile], [VERSION, PROFILE]);
    assert.equal(finding.window.to, new Date(monitored.at).toISOString());
    assert.match(finding.window.digest, /^[0-9a-f]{64}$/);
    const [feature] = finding.features;
    assert.deepEqual([feature?.name, feature?.what], ['f1', 'shifted up']);
    const [least, most] = feature?.interval ?? [0, 0];
    // .8 sd moves 31 % of the rows.
    assert.ok(least < 0.31 && 0.31 < most && feature!.p! < 1e-9, JSON.stringify(feature));
    assert.equal(finding.onset?.estimate, new Date(monitored.at - HOUR).toISOString());
    const again = monitored.hour({ features: model.counts({ means: { 1: 0.8 } }) });
    assert.deepEqual(again.findings, []);
    assert.equal(again.health.state, 'alarm');
    assert.deepEqual(again.health.open, [
      { cause: 'data-drift', since: new Date(monitored.at - HOUR).toISOString(), clear: 0 },
    ]);
  });

  it('tells of another feature under the same cause', () => {
    const { model, monitored } = settled();
    monitored.hour({ features: model.counts({ means: { 1: 0.8 } }) });
    const { findings } = monitored.hour({ features: model.counts({ means: { 1: 0.8, 2: -0.8 } }) });
    assert.deepEqual(kinds({ findings } as never), ['data-drift']);
    assert.ok(findings[0]?.features.some(({ name, what }) => name === 'f2' && what === 'shifted down'));
  });

  it('calls it skew in the first windows of a version', () => {
    const random = createRandom(3);
    const model = new MadeModel(random, 3);
    const monitored = new Monitored(model.profile);
    const { findings } = monitored.hour({ features: model.counts({ means: { 0: 1 } }) });
    assert.deepEqual([findings[0]?.kind, findings[0]?.cause], ['skew', 'skew']);
    // It stays skew while it lasts, and is not told again as drift.
    for (let i = 0; i < 5; i += 1)
      assert.deepEqual(kinds(monitored.hour({ features: model.counts({ means: { 0: 1 } }) })), []);
  });

  it('finds scores that moved', () => {
    const { model, monitored } = settled();
    const { findings } = monitored.hour({ features: model.counts({ unsure: 0.3 }) });
    assert.ok(
      findings.some(({ kind, features }) => kind === 'prediction-drift' && features[0]?.name === 'score'),
    );
  });

  it('finds a significant change that does not matter, and calls it so', () => {
    const { model, monitored } = settled(3, { material: 0.2 });
    const { findings, health } = monitored.hour({ features: model.counts({ means: { 1: 0.4 } }) });
    assert.deepEqual([findings[0]?.verdict, findings[0]?.severity], ['immaterial', 'info']);
    assert.equal(health.state, 'healthy');
    assert.deepEqual(monitored.hour({ features: model.counts({ means: { 1: 0.4 } }) }).findings, []);
  });

  it('adds up what no window shows', () => {
    const { model, monitored } = settled(3, { material: 0.02 });
    let windows = 0;
    while (monitored.findings.length === 0 && windows < 60) {
      monitored.hour({ features: model.counts({ means: { 2: 0.15 } }) });
      windows += 1;
    }
    const [finding] = monitored.findings;
    assert.ok(windows > 1 && windows < 30, `${windows} windows`);
    assert.equal(finding?.features[0]?.name, 'f2');
    assert.match(finding.features[0]?.what ?? '', /^up over \d+ windows$/);
    const began = monitored.at - windows * HOUR;
    assert.ok(
      Date.parse(finding.onset!.from) <= began && began <= Date.parse(finding.onset!.to),
      JSON.stringify(finding.onset),
    );
  });

  it('adds up small changes of categories too, keeps the cause open while they last, and tells when they are over', () => {
    const { model, monitored } = settled(3, { material: 0.04 });
    const recolored = () => monitored.hour({ features: model.counts({ recolored: 0.07 }) });
    const began = monitored.at;
    while (monitored.found.length === 0 && monitored.at < began + 60 * HOUR) recolored();
    const [finding] = monitored.found;
    assert.deepEqual([finding?.cause, finding?.features[0]?.name], ['data-drift', 'color']);
    assert.match(finding?.features[0]?.what ?? '', /^value [ab]: \d+ % -> \d+ % over \d+ windows$/);
    const [least, most] = finding?.features[0]?.interval ?? [0, 0];
    assert.ok(least < 0.07 && 0.07 < most, `${least} to ${most}`);
    assert.ok(Math.abs(Date.parse(finding!.onset!.estimate) - began) <= 5 * HOUR, finding?.onset?.estimate);
    for (let i = 0; i < 30 && monitored.cleared.length === 0; i += 1)
      monitored.hour({ features: model.counts() });
    assert.deepEqual(
      monitored.cleared.map(({ cause }) => cause),
      ['data-drift'],
    );
  });

  it('carries rows that are too few, and never makes them a figure', () => {
    const { model, monitored } = settled();
    const few = () => monitored.hour({ features: model.counts({ rows: 20, means: { 0: 3 } }) });
    const from = monitored.at;
    const [first, second] = [few(), few()];
    assert.deepEqual([first.findings, second.findings], [[], []]);
    assert.ok(
      second.health.waitingFor.some((text) => text.includes('40 of 50 rows')),
      second.health.waitingFor.join(),
    );
    const [finding] = few().findings;
    assert.deepEqual([finding?.kind, finding?.rows], ['data-drift', 60]);
    assert.equal(finding?.window.from, new Date(from).toISOString());
  });

  it('says what it waits for', () => {
    const bare = new Monitored(null);
    const { health } = bare.hour({});
    assert.equal(health.state, 'waiting');
    assert.ok(health.waitingFor.some((text) => text.includes('a reference profile, version v1 has none')));
    const { model, monitored } = settled();
    const other = { ...model.counts(), profile: '0'.repeat(64) };
    assert.match(monitored.hour({ features: other }).health.waitingFor.join(), /bins of another profile/);
    const half = { ...model.counts(), features: model.counts().features.slice(1) };
    assert.match(
      monitored.hour({ features: half }).health.waitingFor.join(),
      /Window has 3 features: its profile has 4/,
    );
    assert.match(
      monitored.hour({ features: model.counts() }).health.waitingFor.join(),
      /measured-performance: 0 of 50 labels/,
    );
  });

  it('does not judge windows of the future or of what is done, and says so', () => {
    const { model, monitored } = settled();
    const odd = model.counts({ means: { 0: 5 } });
    const empty = { features: odd, latency: null, requests: 9, bad: 9 };
    const ahead = { from: monitored.at + 3 * HOUR, to: monitored.at + 4 * HOUR, ...empty };
    const behind = { from: monitored.at - 9 * HOUR, to: monitored.at - 8 * HOUR, ...empty };
    const before = monitored.state;
    const { findings, health, state } = monitored.take({
      windows: [behind, ahead],
      strange: ['gateway g2 is 3 h ahead'],
    });
    assert.deepEqual(findings, []);
    assert.deepEqual(state, before);
    assert.equal(health.waitingFor[0], 'gateway g2 is 3 h ahead');
    assert.match(health.waitingFor[1] ?? '', /is not judged: everything before .* is done/);
    assert.match(health.waitingFor[2] ?? '', /is not judged: it ends after now/);
  });
});

describe('a cause', () => {
  it('is over after as many windows in a row as the manifest says; one without rows does not count', () => {
    const { model, monitored } = settled();
    monitored.hour({ features: model.counts({ means: { 1: 1 } }) });
    const good = () => monitored.hour({ features: model.counts() });
    assert.deepEqual([good().cleared, good().cleared], [[], []]);
    monitored.hour({ features: model.counts({ rows: 10 }) });
    assert.equal(monitored.last?.health.open[0]?.clear, 2);
    const bad = monitored.hour({ features: model.counts({ means: { 1: 1 } }) });
    assert.deepEqual([bad.findings, bad.health.open[0]?.clear], [[], 0]);
    good();
    good();
    const { cleared, health } = good();
    assert.deepEqual(cleared, [
      { cause: 'data-drift', windows: 3, at: new Date(monitored.at).toISOString() },
    ]);
    assert.deepEqual([health.state, health.open], ['healthy', []]);
    const back = monitored.hour({ features: model.counts({ means: { 1: 1 } }) });
    assert.equal(back.findings[0]?.id, `employment/data-drift/${monitored.at}`);
  });

  it('goes with the version that had it, once the next one is measured', () => {
    const { model, monitored } = settled();
    monitored.hour({ features: model.counts({ means: { 1: 1 } }) });
    const next = new MadeModel(createRandom(8), 1);
    const version = { version: 'v2', digest: '2'.repeat(64) };
    const profile = { ...next.profile, digest: 'e'.repeat(64) };
    for (let i = 0; i < 3; i += 1)
      monitored.hour({ features: { ...next.counts(), profile: profile.digest } }, { version, profile });
    assert.deepEqual(
      monitored.cleared.map(({ cause }) => cause),
      ['data-drift'],
    );
  });
});

describe('a monitor of values', () => {
  it('names the unseen value, and is critical from a fifth of the rows on', () => {
    const { model, monitored } = settled();
    const { findings } = monitored.hour({ features: model.counts({ unseen: 170 }) });
    const [finding] = findings.filter(({ kind }) => kind === 'data-quality');
    assert.deepEqual(
      [finding?.cause, finding?.severity, finding?.features[0]?.what],
      ['data-quality/color', 'critical', 'unseen value z'],
    );
    assert.ok(finding!.features[0]!.effect! > 0.33, 'a third of the rows');
    for (let i = 0; i < 3; i += 1) monitored.hour({ features: model.counts() });
    assert.deepEqual(monitored.cleared.map(({ cause }) => cause).sort(), [
      'data-drift',
      'data-quality/color',
    ]);
  });

  it('works from the first window on, whose missing values are many', () => {
    const model = new MadeModel(createRandom(5), 3);
    const monitored = new Monitored(model.profile);
    const { findings } = monitored.hour({ features: model.counts({ missing: 60 }) });
    assert.deepEqual(
      findings.map(({ cause, severity, features }) => [cause, severity, features[0]?.what]),
      [['data-quality/f0', 'warning', 'missing']],
    );
  });

  it('makes one cause of a feed that breaks as a whole', () => {
    const { model, monitored } = settled(6);
    const counts = model.counts();
    const gone = counts.features.map((feature) => ({
      ...feature,
      ...(feature.kind === 'numeric' ? { below: 0, above: 0 } : { unlisted: { names: [], rest: 0 } }),
      counts: feature.counts.map(() => 0),
      missing: 500,
    }));
    const { findings } = monitored.hour({ features: { ...counts, features: gone } });
    assert.deepEqual(
      findings.map(({ cause, severity }) => [cause, severity]),
      [['data-quality/several', 'critical']],
    );
    assert.equal(findings[0]?.features.length, 7);
    assert.deepEqual(monitored.hour({ features: { ...counts, features: gone } }).findings, []);
  });
});

describe('a monitor of performance', () => {
  it('estimates a fall without labels, when scores become unsure', () => {
    const { model, monitored } = settled(1, { falseFindingSeconds: 30 * 86_400 });
    const { findings } = monitored.hour({ features: model.counts({ rows: 4_000, unsure: 0.35 }) });
    const finding = findings.find(({ kind }) => kind === 'estimated-performance');
    assert.deepEqual([finding?.verdict, finding?.severity], ['found', 'warning']);
    // Scores evenly from .35 to .65: AUC = .6 in place of .83.
    assert.match(finding?.summary ?? '', /^Estimated auc fell from 0\.8[23]\d* to 0\.(59|60)/);
  });

  it('measures with the labels what no score shows, gathering them until there are enough', () => {
    const { model, monitored } = settled(1, { falseFindingSeconds: 30 * 86_400, minRows: 300 });
    const flipped = () => monitored.hour({ features: model.counts({ rows: 200, labels: 'flipped' }) });
    assert.deepEqual(flipped().findings, []);
    assert.match(monitored.last?.health.waitingFor.join() ?? '', /200 of 300 labels/);
    const { findings } = flipped();
    assert.deepEqual(
      findings.map(({ kind, severity, rows }) => [kind, severity, rows]),
      [['measured-performance', 'critical', 400]],
    );
  });
});

describe('a monitor of latency', () => {
  it('holds the objective from the first window on', () => {
    const random = createRandom(4);
    const monitored = new Monitored(null);
    assert.deepEqual(monitored.hour({ latency: latencyOf(random, 300, 20) }).findings, []);
    const { findings } = monitored.hour({ latency: latencyOf(random, 300, 200) });
    assert.deepEqual(
      findings.map(({ kind, severity }) => [kind, severity]),
      [['latency', 'warning']],
    );
    for (let i = 0; i < 3; i += 1) monitored.hour({ latency: latencyOf(random, 300, 20) });
    assert.deepEqual(
      monitored.cleared.map(({ cause }) => cause),
      ['latency'],
    );
  });

  it('tells when it is slower than it was, within the objective', () => {
    const random = createRandom(4);
    const monitored = new Monitored(null, { falseFindingSeconds: 30 * 86_400 });
    for (let i = 0; i < 24; i += 1)
      assert.deepEqual(monitored.hour({ latency: latencyOf(random, 300, 10) }).findings, []);
    const { findings } = monitored.hour({ latency: latencyOf(random, 300, 30) });
    assert.deepEqual(
      findings.map(({ kind, severity }) => [kind, severity]),
      [['latency', 'info']],
    );
  });
});

describe('an evaluation', () => {
  it('is the same together, in parts, and after its state was stored as JSON (property)', () => {
    const random = createRandom(11);
    const model = new MadeModel(random, 2);
    const start = 1_000 * HOUR;
    const windows = Array.from({ length: 12 }, (_, i): MonitoredWindow => {
      const means: Record<number, number> = i > 5 && i < 9 ? { 0: 1 } : {};
      const rows = i % 4 === 3 ? 30 : 200;
      return {
        from: start + i * HOUR,
        to: start + (i + 1) * HOUR,
        features: model.counts({ rows, means, labels: 'as-scored' }),
        latency: latencyOf(random, 60, i === 7 ? 300 : 10),
        requests: 200,
        bad: i === 8 ? 150 : 0,
      };
    });
    const slots = windows.flatMap(({ from, bad }) =>
      Array.from({ length: 12 }, (_, i): TrafficSlot => ({
        from: from + i * 300_000,
        to: from + (i + 1) * 300_000,
        requests: 17,
        bad: bad / 12,
      })),
    );
    const now = start + 13 * HOUR;
    const settings = { falseFindingSeconds: 86_400 * 30 };
    const whole = evaluateModel(new Monitored(model.profile, settings).input({ windows, slots, now }));
    assert.deepEqual([...new Set(kinds(whole))].sort(), ['availability', 'data-drift', 'latency']);
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 11 }), { maxLength: 5 }), (cuts) => {
        const monitored = new Monitored(model.profile, settings);
        const ends = [...cuts.sort((a, b) => a - b), 12].map((hour) => start + hour * HOUR);
        ends.forEach((end, i) => {
          const of = <T extends TrafficSlot>(all: readonly T[]): T[] =>
            all.filter(({ to }) => to <= end && to > (ends[i - 1] ?? 0));
          monitored.take({ windows: of(windows), slots: of(slots as never), now });
        });
        assert.deepEqual(monitored.findings, whole.findings);
        assert.deepEqual(monitored.state, JSON.parse(JSON.stringify(whole.state)));
      }),
      { numRuns: 10, seed: 5 },
    );
  });
});
