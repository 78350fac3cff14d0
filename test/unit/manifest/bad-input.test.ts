import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { formatProblems, loadManifest, parseManifest } from '../../../src/manifest/index.js';
import type { Problem } from '../../../src/manifest/index.js';
import { MINIMAL } from '../../support/model-yaml.js';

const problemsOf = (text: string): readonly Problem[] => {
  const result = parseManifest(text);
  return result.ok ? [] : result.problems;
};
/** MINIMAL with some top-level sections replaced or (undefined) left out. */
const changed = (sections: Record<string, unknown>): string => {
  const entries = Object.entries({ ...(parse(MINIMAL) as object), ...sections });
  return stringify(Object.fromEntries(entries.filter(([, value]) => value !== undefined)), {
    aliasDuplicateObjects: false,
  });
};
const schema = (
  inputs: unknown,
  outputs: unknown = [{ name: 'score', datatype: 'FP32' }],
): Record<string, unknown> => ({
  schema: { inputs, outputs },
});
const gates = (...list: object[]): Record<string, unknown> => ({
  validation: { data: 'rows.csv', target: 'left', gates: list },
});
const canary = (section: object): Record<string, unknown> => ({ canary: section });
const approval = (point: object): Record<string, unknown> => ({ approval: { beforeDeploy: point } });
const step = (weight: unknown) => ({ weight, minKeys: 10, minSeconds: 0 });
const x = { name: 'x', datatype: 'INT64' };
const subgroup = { kind: 'subgroup', column: 'SEX', measure: 'equal-opportunity', bound: 0.1 };
const exception = { group: 2, reason: 'Few', approver: 'ada', expires: '2027-01-31' };
const own = { kind: 'share', name: 'high', output: 'score', op: '>', value: 0.9 };

/** What is wrong, the sections, and what is said: path and message, in the order of the text. */
const window = (changes: object = {}) => ({
  from: '18:00',
  to: '08:00',
  timeZone: 'Europe/Paris',
  reason: 'nights',
  ...changes,
});

const CASES: readonly [string, Record<string, unknown>, ...(readonly [string, RegExp])[]][] = [
  ['a wrong type', { purpose: 7 }, ['purpose', /^purpose is 7; allowed: text of 1 to 4000 characters$/]],
  [
    'a section that is a value',
    { schema: 'none' },
    ['schema', /^schema is "none"; allowed: a section with the fields inputs, outputs$/],
  ],
  [
    'a freeze window of nowhere, at no time, on no day',
    { freezeWindows: [window({ timeZone: 'Europe/Atlantis', from: '8:00', days: ['friday'] })] },
    ['freezeWindows[0].timeZone', /"Europe\/Atlantis"; allowed: an IANA name such as Europe\/Paris or UTC$/],
    ['freezeWindows[0].from', /is "8:00"; allowed: HH:MM in quotes, "00:00" to "23:59"$/],
    ['freezeWindows[0].days[0]', /is "friday"; allowed: one of mon, tue, .*; did you mean fri\?$/],
  ],
  [
    'a time that YAML 1.1 would read as a number',
    { freezeWindows: [window({ to: 480 })] },
    ['freezeWindows[0].to', /is 480; allowed: HH:MM in quotes/],
  ],
  [
    'a freeze window without length, or with a day twice',
    { freezeWindows: [window({ to: '18:00' }), window({ days: ['mon', 'mon'] })] },
    ['freezeWindows[0].to', /it is the same as from; for a whole day write from "00:00" to "24:00"$/],
    ['freezeWindows[1].days[1]', /it is there already$/],
  ],
  [
    'freeze windows that leave no opening',
    { freezeWindows: [window(), window({ from: '07:00', to: '18:30' })] },
    [
      'freezeWindows',
      /together they hold all week, so that nothing could ever be promoted; leave an opening$/,
    ],
  ],
  [
    "the name of the gateways' stream in the ledger",
    { name: 'fleet' },
    [
      'name',
      /^name is "fleet"; allowed: a name that is not taken: fleet is the stream of what belongs to no model$/,
    ],
  ],
  [
    'an empty section',
    { soak: null },
    ['soak', /^soak is empty; allowed: a section with the fields seconds, holdback$/],
  ],
  [
    'a list that is a section',
    { contacts: {} },
    ['contacts', /^contacts is \{\}; allowed: a list of 0 to 50 entries$/],
  ],
  ['a missing field', { owner: undefined }, ['owner', /^owner is missing; needed: text/]],
  [
    'another version of the format',
    { apiVersion: 'tenure/v2' },
    ['apiVersion', /^apiVersion is "tenure\/v2"; allowed: tenure\/v1$/],
  ],
  [
    'an unknown choice',
    { task: 'binry' },
    ['task', /^task is "binry"; allowed: one of binary, multiclass, regression; did you mean binary\?$/],
  ],
  [
    'an unknown tier, without what follows from it',
    { riskTier: 'hihg' },
    ['riskTier', /did you mean high\?$/],
  ],
  [
    'a tier that is like none: no guess',
    { riskTier: 'enormous' },
    ['riskTier', /allowed: one of experimental, low, medium, high$/],
  ],
  [
    'a field that is like none: no guess',
    { zzz: 1 },
    ['zzz', /^zzz is not a field of the manifest\. Allowed: apiVersion, kind,/],
  ],
  [
    'an unknown field',
    { ownr: 'ada' },
    ['ownr', /^ownr is not a field of the manifest; did you mean owner\? Allowed: apiVersion, kind,/],
  ],
  [
    'an unknown field deep inside',
    canary({ guardrails: [{ kind: 'errors', hardlimit: 1 }] }),
    ['canary.guardrails[0].hardlimit', /of canary\.guardrails\[0\]; did you mean hardLimit\?/],
  ],
  [
    'the beginning of a field',
    approval({ approvers: ['ada'], expiresAfter: '1d' }),
    ['approval.beforeDeploy.expiresAfter', /did you mean expiresAfterSeconds\?/],
  ],
  [
    'a retraining without a command',
    { retraining: {} },
    ['retraining.command', /is missing; needed: a list of 1 to 100 entries/],
  ],
  [
    'a retraining that cannot be meant',
    {
      retraining: {
        command: ['train'],
        metric: 'rmse',
        minLabels: 100,
        triggers: { newLabels: 50, schedule: { cron: '0 0 30 2 *', timeZone: 'Europe/Paris' } },
      },
    },
    ['retraining.metric', /is "rmse"; allowed with task binary: auc/],
    ['retraining.triggers.newLabels', /is 50; allowed: at least minLabels, 100/],
    ['retraining.triggers.schedule.cron', /it never comes/],
  ],
  [
    'a schedule that comes too often',
    { retraining: { command: ['train'], triggers: { schedule: { cron: '*/5 * * * *', timeZone: 'UTC' } } } },
    ['retraining.triggers.schedule.cron', /it comes more than once an hour/],
  ],
  [
    'a schedule that cannot be read',
    {
      retraining: {
        command: ['train'],
        triggers: { schedule: { cron: '0 3 * * moonday', timeZone: 'UTC' } },
      },
    },
    ['retraining.triggers.schedule.cron', /it cannot be read/],
  ],
  [
    'a schedule with seconds',
    { retraining: { command: ['train'], triggers: { schedule: { cron: '0 0 3 * * *', timeZone: 'UTC' } } } },
    ['retraining.triggers.schedule.cron', /five fields/],
  ],
  [
    'monitoring that says what it does not mean',
    {
      contacts: [{ name: 'Ann', role: 'owner' }],
      monitoring: {
        drift: true,
        windowSeconds: '1s',
        minRows: 5,
        season: 'year',
        ignore: 'x',
        policy: { drift: ['call'] },
        incidents: { reportSeconds: 'soon' },
      },
    },
    ['monitoring.drift', /is not a field of monitoring/],
    ['monitoring.windowSeconds', /is "1s"; allowed: a duration from 5s to 7d/],
    ['monitoring.minRows', /is 5; allowed: a whole number from 20 to/],
    ['monitoring.season', /is "year"; allowed: one of none, day, week/],
    ['monitoring.ignore', /is "x"; allowed: a list/],
    ['monitoring.policy.drift[0]', /is "call"; allowed: one of notify, hold, roll-back, retrain, fallback/],
    ['monitoring.incidents.reportSeconds', /is "soon"; allowed: a duration/],
  ],
  [
    'monitoring that does not fit the rest',
    {
      contacts: [{ name: 'Ann', role: 'owner' }],
      monitoring: {
        ignore: ['nobody'],
        policy: { drift: ['notify', 'notify'], quality: ['hold'], traffic: ['fallback'] },
        incidents: {
          escalation: [
            { afterSeconds: '2h', roles: ['head'] },
            { afterSeconds: '1h', roles: [] },
          ],
        },
      },
    },
    ['monitoring.ignore[0]', /is "nobody"; allowed: one of schema\.inputs, /],
    ['monitoring.policy.drift[1]', /it is there already$/],
    ['monitoring.policy.quality', /hold lasts as long as the incident: add notify$/],
    ['monitoring.policy.traffic', /fallback needs monitoring\.fallbackVersion/],
    ['monitoring.incidents.escalation[0].roles[0]', /is "head"; allowed: a role of the contacts, owner$/],
    [
      'monitoring.incidents.escalation[1].afterSeconds',
      /is 3600; needed: above that of the step before, 7200$/,
    ],
  ],
  [
    'bad names',
    { name: 'Churn', team: 'x'.repeat(64) },
    ['name', /^name is "Churn"; allowed: a lower-case letter/],
    ['team', /lower-case/],
  ],
  [
    'weights that do not rise',
    canary({ steps: [step(0.1), step(0.1), step('5%')] }),
    ['canary.steps[1].weight', /is 0\.1; allowed: above 0\.1, the weight of the step before/],
    ['canary.steps[2].weight', /is 0\.05; allowed: above 0\.1/],
  ],
  [
    'weights out of range',
    canary({ steps: [step(0), step(1.5), step('200%'), step(Number.NaN)] }),
    ...[0, 1, 2, 3].map(
      (i) => [`canary.steps[${i}].weight`, /allowed: a number above 0, at most 1, or a percentage/] as const,
    ),
  ],
  [
    'no steps and no guardrails',
    canary({ steps: [], guardrails: [] }),
    ['canary.steps', /a list of 1 to 20/],
    ['canary.guardrails', /a list of 1 to 16/],
  ],
  [
    'too many guardrails',
    canary({ guardrails: Array.from({ length: 17 }, (_, i) => ({ ...own, name: `g${i}` })) }),
    ['canary.guardrails', /is a list of 17 entries; allowed: a list of 1 to 16 entries/],
  ],
  [
    'steps longer than the canary',
    canary({ maxSeconds: '1m', steps: [{ ...step(0.5), minSeconds: '2m' }] }),
    ['canary.maxSeconds', /is 60; allowed: at least what the steps take, 120 seconds/],
  ],
  [
    'bad durations',
    { soak: { seconds: '10 min' }, rollbackWindowSeconds: '-1h' },
    ['soak.seconds', /is "10 min"; allowed: a duration from 0s to 30d: 30s, 15m, 2h, 7d/],
    ['rollbackWindowSeconds', /a duration from 0s to 365d/],
  ],
  [
    'a number where there is infinity',
    { soak: { seconds: Number.POSITIVE_INFINITY } },
    ['soak.seconds', /is Infinity; allowed/],
  ],
  [
    'half a key',
    canary({ steps: [{ ...step(0.5), minKeys: 1.5 }] }),
    ['canary.steps[0].minKeys', /is 1\.5; allowed: a whole number from 1 to/],
  ],
  [
    'a hold-back of most keys',
    { soak: { holdback: '60%' } },
    ['soak.holdback', /is "60%"; allowed: a number from 0 to 0\.5/],
  ],
  [
    'guardrails of one name',
    canary({ guardrails: [{ kind: 'errors' }, { kind: 'slow', name: 'errors' }] }),
    ['canary.guardrails[1].name', /is "errors"; canary\.guardrails\[0\] has that name/],
  ],
  [
    'a guardrail without a margin',
    canary({ guardrails: [{ kind: 'errors', relativeMargin: 1, absoluteMargin: 0 }] }),
    ['canary.guardrails[0].absoluteMargin', /nothing can be proven/],
  ],
  [
    'an unknown kind of guardrail',
    canary({ guardrails: [{ kind: 'slwo' }] }),
    ['canary.guardrails[0].kind', /is "slwo"; allowed: one of errors, slow, share/],
  ],
  [
    'a kind that is not there',
    canary({ guardrails: [{ name: 'errors' }] }),
    ['canary.guardrails[0].kind', /is missing; needed: one of errors, slow, share/],
  ],
  [
    'a guardrail on an unknown output',
    canary({ guardrails: [{ ...own, output: 'scroe' }] }),
    ['canary.guardrails[0].output', /is "scroe"; allowed: one of schema\.outputs, score, label/],
  ],
  [
    'a guardrail beyond the row',
    canary({ guardrails: [{ ...own, index: 1 }] }),
    ['canary.guardrails[0].index', /is 1; allowed: below the width of score, 1/],
  ],
  [
    'a quorum larger than the list',
    approval({ quorum: 3, approvers: ['ada', 'ben'] }),
    ['approval.beforeDeploy.quorum', /is 3; allowed: at most the number of approvers, 2/],
  ],
  [
    'one approver twice',
    approval({ quorum: 2, approvers: ['ada', 'ada'] }),
    ['approval.beforeDeploy.quorum', /at most the number of approvers, 1/],
    ['approval.beforeDeploy.approvers[1].name', /is "ada"; the person is on the list already/],
  ],
  [
    'a role that nobody has',
    approval({ approvers: [{ name: 'ada', roles: ['risk'] }], requiredRoles: ['product'] }),
    ['approval.beforeDeploy.requiredRoles[0]', /is "product"; allowed: a role that an approver has, risk/],
  ],
  [
    'a tier that asks for approvers',
    { riskTier: 'high' },
    ['validation.gates', /is \[\]; needed in tier high: a gate of kind metric or no-regression/],
    ['approval.beforeDeploy.approvers', /is missing; needed: a list of 1 to 100/],
    ['approval.beforePromote.approvers', /is missing/],
  ],
  [
    'a score that is no output',
    { prediction: { score: 'scor' } },
    ['prediction.score', /is "scor"; allowed: one of schema\.outputs, score, label/],
  ],
  [
    'a score that is text',
    schema([x], [{ name: 'score', datatype: 'BYTES' }]),
    ['schema.outputs[0].datatype', /is "BYTES"; allowed for the score: FP32, FP64/],
  ],
  [
    'a binary score of two values',
    schema([x], [{ name: 'score', datatype: 'FP32', width: 2 }]),
    ['schema.outputs[0].width', /is 2; needed for the score with task binary: 1/],
  ],
  [
    'class probabilities that are too few',
    { task: 'multiclass', prediction: { score: 'score', classes: ['a', 'b', 'c'] } },
    ['schema.outputs[0].width', /is 1; needed for the score with task multiclass: 3, the number of classes/],
  ],
  [
    'multiclass without classes',
    { task: 'multiclass' },
    ['prediction.classes', /is \[\]; needed with task multiclass: two at least/],
  ],
  [
    'three binary classes',
    { prediction: { score: 'score', classes: [0, 1, 2] } },
    ['prediction.classes', /is \[0,1,2\]; needed with task binary: two/],
  ],
  [
    'regression with classes',
    { task: 'regression', prediction: { score: 'score', classes: [0, 1] } },
    ['prediction.classes', /task regression has no classes/],
  ],
  [
    'one class twice',
    { prediction: { score: 'score', classes: ['a', 'a'] } },
    ['prediction.classes[1]', /is "a"; it is there already/],
  ],
  [
    'metrics that do not fit the task',
    gates(
      { kind: 'metric', metric: 'rmse', max: 1 },
      { kind: 'no-regression', metric: 'macroF1', margin: 0.1 },
    ),
    ['validation.gates[0].metric', /is "rmse"; allowed with task binary: auc, logLoss/],
    ['validation.gates[1].metric', /macroF1/],
  ],
  [
    'an unknown metric',
    gates({ kind: 'metric', metric: 'AUC', min: 0.8 }),
    ['validation.gates[0].metric', /did you mean auc\?/],
  ],
  [
    'a metric without bounds',
    gates({ kind: 'metric', metric: 'auc' }),
    ['validation.gates[0].min', /needed: min, max, or both/],
  ],
  [
    'bounds the wrong way round',
    gates({ kind: 'metric', metric: 'auc', min: 0.9, max: 0.8 }),
    ['validation.gates[0].min', /is 0\.9; allowed: at most max, 0\.8/],
  ],
  [
    'a percentage for a share',
    gates({ kind: 'metric', metric: 'auc', min: 87 }),
    ['validation.gates[0].min', /is 87; auc is never above 1/],
  ],
  [
    'a gate twice',
    gates({ kind: 'size', maxBytes: 1 }, { kind: 'size', maxBytes: 2 }),
    ['validation.gates[1]', /validation\.gates\[0\] is that gate already/],
  ],
  [
    'an exception without a date',
    gates({ ...subgroup, exceptions: [{ ...exception, expires: undefined }] }),
    ['validation.gates[0].exceptions[0].expires', /is missing; needed: a date such as/],
  ],
  [
    'an exception with a date that is not',
    gates({ ...subgroup, exceptions: [{ ...exception, expires: '2027-02-30' }] }),
    ['validation.gates[0].exceptions[0].expires', /is "2027-02-30"; allowed: a date/],
  ],
  [
    'a subgroup without a column',
    gates({ ...subgroup, column: undefined }),
    ['validation.gates[0].column', /is missing/],
  ],
  [
    'subgroups of the label',
    gates({ ...subgroup, column: 'left' }),
    ['validation.gates[0].column', /it is the label/],
  ],
  [
    'a subgroup measure that does not fit',
    { task: 'regression', ...gates(subgroup) },
    ['validation.gates[0].kind', /allowed with tasks binary and multiclass only/],
  ],
  [
    'an unknown policy',
    gates({ ...subgroup, smallGroups: 'drop' }),
    [
      'validation.gates[0].smallGroups',
      /is "drop"; allowed: report-only, or a section with policy merge-into/,
    ],
  ],
  [
    'min above max',
    schema([{ ...x, min: 5, max: 1 }]),
    ['schema.inputs[0].min', /is 5; allowed: at most max, 1/],
  ],
  [
    'categories of another type',
    schema([
      { ...x, categories: [1, 'two', 2.5] },
      { name: 'b', datatype: 'BYTES', categories: [1] },
      { name: 'c', datatype: 'BOOL', categories: [0] },
    ]),
    ['schema.inputs[0].categories[1]', /is "two"; allowed with INT64: a number/],
    ['schema.inputs[0].categories[2]', /is 2\.5; allowed with INT64: a whole number/],
    ['schema.inputs[1].categories[0]', /is 1; allowed with BYTES: text/],
    ['schema.inputs[2].categories', /BOOL has none/],
  ],
  [
    'a category beyond max and one twice',
    schema([{ ...x, max: 2, categories: [1, 3, 1] }]),
    ['schema.inputs[0].categories[1]', /is 3; allowed: within min and max/],
    ['schema.inputs[0].categories[2]', /it is there already/],
  ],
  [
    'bounds on text',
    schema([{ name: 'b', datatype: 'BYTES', max: 3 }]),
    ['schema.inputs[0].max', /datatype BYTES has no max/],
  ],
  [
    'names that are not unique',
    schema(
      [x, x],
      [
        { name: 'score', datatype: 'FP32' },
        { name: 'score', datatype: 'FP32' },
      ],
    ),
    ['schema.inputs[1].name', /schema\.inputs\[0\] has that name/],
    ['schema.outputs[1].name', /schema\.outputs\[0\] has that name/],
  ],
  [
    'the label among the inputs',
    schema([{ ...x, name: 'left' }]),
    ['validation.target', /is "left"; schema\.inputs\[0\] is the same column/],
  ],
  [
    'a deadline below the objective',
    { objectives: { latencyMs: 2000 } },
    ['serving.deadlineMs', /is 1000; allowed: at least objectives\.latencyMs, 2000/],
  ],
  [
    'a header that is none',
    { serving: { routingKeyHeader: 'X Key' } },
    ['serving.routingKeyHeader', /lower-case letters, digits and hyphens/],
  ],
];

describe('bad manifests', () => {
  for (const [what, sections, ...expected] of CASES) {
    it(`are refused: ${what}`, () => {
      const problems = problemsOf(changed(sections));
      assert.deepEqual(
        problems.map(({ path }) => path).sort(),
        expected.map(([path]) => path).sort(),
        formatProblems(problems),
      );
      for (const [path, message] of expected) {
        assert.match(problems.find((problem) => problem.path === path)?.message ?? '', message);
      }
    });
  }

  it('have all problems reported at once, also across fields, in the order of the text', () => {
    const problems = problemsOf(
      changed({
        team: 5,
        prediction: { score: 'scor' },
        ...gates({ kind: 'metric', metric: 'rmse', min: 1 }, { kind: 'latency', p95Ms: -1 }),
        ...approval({ quorum: 2, approvers: ['ada'] }),
        canary: { alpha: 2, steps: [step(0.5), step(0.2)], typo: 1 },
      }),
    );
    assert.deepEqual(
      problems.map(({ path }) => path),
      [
        'team',
        'prediction.score',
        'validation.gates[0].metric',
        'validation.gates[1].p95Ms',
        'approval.beforeDeploy.quorum',
        'canary.alpha',
        'canary.steps[1].weight',
        'canary.typo',
      ],
    );
    const lines = problems.map(({ line }) => line ?? 0);
    assert.deepEqual(
      lines,
      lines.toSorted((a, b) => a - b),
    );
  });

  it('are not YAML: duplicate keys, bad indentation, two documents, unknown tags', () => {
    const [problem] = problemsOf(`${MINIMAL}name: again\n`);
    assert.deepEqual([problem?.line, problem?.column], [21, 1]);
    assert.match(problem?.message ?? '', /^Not valid YAML: Map keys must be unique/);
    for (const text of [
      'a: [1',
      'a:\n\t- 1',
      `${MINIMAL}---\n${MINIMAL}`,
      `${MINIMAL}contacts: !mine []\n`,
    ]) {
      assert.match(problemsOf(text)[0]?.message ?? '', /^Not valid YAML: /, text.slice(-30));
    }
  });

  it('are empty, a list, a word', () => {
    for (const [text, shown] of [
      ['', 'empty'],
      ['# nothing\n', 'empty'],
      ['- 1\n', '[1]'],
      ['model', '"model"'],
    ]) {
      const [problem, ...others] = problemsOf(text ?? '');
      assert.ok(
        problem?.message.startsWith(`The manifest is ${shown}; allowed: a section with the fields`),
        problem?.message,
      );
      assert.deepEqual(others, []);
    }
  });

  it('are attacks: too long, deep nesting, anchors that multiply, keys of the prototype', () => {
    assert.match(problemsOf(`# ${'x'.repeat(600_000)}`)[0]?.message ?? '', /allowed: at most 524288$/);
    const indented = Array.from({ length: 700 }, (_, i) => `${' '.repeat(i)}a:`).join('\n');
    for (const deep of [
      '['.repeat(500_000),
      '{a: '.repeat(100_000),
      '- '.repeat(200_000),
      '? '.repeat(200_000),
      indented,
    ]) {
      assert.match(
        problemsOf(deep)[0]?.message ?? '',
        /nested too deeply; allowed: at most 64 levels$/,
        deep.slice(0, 4),
      );
    }
    const many = problemsOf(Array.from({ length: 1000 }, (_, i) => `k${i}: 1`).join('\n'));
    assert.equal(many.length, 101);
    assert.match(many.at(-1)?.message ?? '', /^There are 9\d\d more problems$/);
    const levels = Array.from(
      { length: 9 },
      (_, i) => `l${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`).join(', ')}]`,
    );
    assert.match(problemsOf(`l0: &l0 [x]\n${levels.join('\n')}`)[0]?.message ?? '', /alias/i);
    assert.ok(problemsOf(`${MINIMAL}__proto__: { owner: x }\n`).length > 0);
    assert.equal(problemsOf(`${MINIMAL}constructor: 1\n`)[0]?.path, 'constructor');
  });
});

describe('places of problems', () => {
  const place = (text: string, path: string): unknown => {
    const found = problemsOf(text).find((problem) => problem.path === path);
    return [found?.line, found?.column];
  };

  it('are those of the value, of the name when it is unknown, of the section when it is missing', () => {
    const text = `${MINIMAL}canary:\n  alpha: 2\n  typo: 3\n  steps:\n    - { weight: 0.5, minSeconds: 1 }\n    - { weight: 0.2, minKeys: 1, minSeconds: 1 }\nsoak:\n`;
    assert.deepEqual(place(text, 'canary.alpha'), [22, 10]);
    assert.deepEqual(place(text, 'canary.typo'), [23, 3]);
    assert.deepEqual(place(text, 'canary.steps[0].minKeys'), [25, 7]);
    assert.deepEqual(place(text, 'soak'), [27, 1]);
    assert.deepEqual(
      place(MINIMAL.replace('riskTier: experimental', 'riskTier: medium'), 'approval.beforeDeploy.approvers'),
      [1, 1],
    );
    assert.deepEqual(place(MINIMAL.replace('score: score', 'score: other'), 'prediction.score'), [17, 10]);
  });

  it('follow anchors to where the value is written', () => {
    const text = `${MINIMAL}approval:\n  beforeDeploy: &point\n    quorum: 2\n    approvers: [ada]\n  beforePromote: *point\n`;
    assert.deepEqual(place(text, 'approval.beforeDeploy.quorum'), [23, 13]);
    assert.deepEqual(place(text, 'approval.beforePromote.quorum'), [23, 13]);
  });

  it('are printed with the file', () => {
    const problems = problemsOf(`${MINIMAL}soak: { secnds: 1 }\n`);
    assert.equal(
      formatProblems(problems, 'churn.yaml'),
      'churn.yaml:21:9  soak.secnds is not a field of soak; did you mean seconds? Allowed: seconds, holdback',
    );
  });

  it('can be asked for later, of a valid manifest', () => {
    const result = parseManifest(MINIMAL, { file: 'model.yaml' });
    assert.ok(result.ok);
    assert.deepEqual(result.source.place(['validation', 'data']), { line: 19, column: 9 });
    assert.equal(result.source.file, 'model.yaml');
  });
});

describe('files', () => {
  it('that cannot be read are a problem, not an exception', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tenure-manifest-'));
    try {
      await writeFile(join(folder, 'model.yaml'), MINIMAL);
      assert.ok((await loadManifest(join(folder, 'model.yaml'))).ok);
      for (const file of [folder, join(folder, 'absent.yaml')]) {
        const result = await loadManifest(file);
        assert.match(result.ok ? '' : (result.problems[0]?.message ?? ''), /^Cannot be read: E(NOENT|ISDIR)/);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
