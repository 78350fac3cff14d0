import { strict as assert } from 'node:assert';
import { Canvas, fold, Printer } from '../../../src/client/command/printer.js';
import { readableLog } from '../../../src/client/command/render/log.js';
import { modelTable } from '../../../src/client/command/render/model.js';
import { retrainingFacts } from '../../../src/client/command/render/retraining.js';
import { profilePage } from '../../../src/client/command/render/profile.js';
import { progressLines } from '../../../src/client/command/render/progress.js';
import { gatewayTable, story, verified } from '../../../src/client/command/render/record.js';
import { releaseFrame } from '../../../src/client/command/render/release.js';
import { createStyle, printable, table } from '../../../src/client/command/style.js';
import { categoricalProfile, numericProfile, scoreProfile } from '../../../src/statistics/profile/build.js';
import { personalCategories } from '../../../src/statistics/profile/personal.js';
import { collect } from '../../support/command.js';
import { approval, guardrail, look, releaseView, sight } from '../../support/release-views.js';

const plain = createStyle(false);
const ESCAPE = '\u001b';

describe('command: what a release looks like', () => {
  it('shows stage, step, the verdict table with evidence against thresholds, and the keys still needed', () => {
    assert.equal(
      releaseFrame(sight(), plain),
      `employment, release 2: v2 against v1
canary · waits for the next look at 1100 keys

Gates: 2 of 2 passed on 22,985 rows

Canary: step 2 of 3, 25 % of the keys (5 % → 25 % → 50 %), 7 look(s)
Verdict: Continue: not proven yet

guardrail  candidate bad     champion bad       to roll back  to promote    hard limit
errors     3 of 250 (1.2 %)  8 of 750 (1.07 %)  0.50 of 5.30  1.25 of 3.00  2.5 % of 50 %  needs 1,234 keys
slow       3 of 250 (1.2 %)  8 of 750 (1.07 %)  0.50 of 5.30  1.25 of 3.00  –              proven

Keys: 1,000, 400 in this step; next look at 1,100
Keys still needed to prove: about 1,234 at the rates seen; about 987 if both are alike
Split: 250 of 1,000 keys on the candidate, 250 expected

Artifact fb04dcb6970e · submitted by ada at 2026-01-01 10:00:00Z · generation 5 · ledger event 31`,
    );
  });

  it('shows who may decide, who has, and how', () => {
    const refused = { requestId: 'r', accepted: false, reason: 'eve is not among the approvers' };
    const frame = releaseFrame(sight({ stage: 'awaiting-approval', approval, decisions: [refused] }), plain);
    for (const line of [
      'Approval before promotion: 1 of 2, until 2026-01-02 10:30:00Z',
      '  May decide: beatrice, carlos',
      '  Roles needed: model-risk',
      '  approved by beatrice at 2026-01-01 11:00:00Z: read it',
      '  Decide: tenure release approve|reject employment 2 --as NAME --reason TEXT',
      '  Refused before: eve is not among the approvers',
    ])
      assert.ok(frame.split('\n').includes(line), line);
  });

  it('shows what holds a release up: parked, frozen, held, not reachable', () => {
    const parked = {
      what: 'deploy v2',
      why: 'no gateway answers',
      since: '2026-01-01T10:00:00.000Z',
      retryAt: '2026-01-01T10:05:00.000Z',
    };
    const canary = {
      ...releaseView().canary!,
      heldAs: 'void' as const,
      verdict: look({ keysToProve: null }),
    };
    const hold = { reason: 'year end', until: '2026-01-02T06:00:00.000Z' };
    const frame = releaseFrame(sight({ parked, hold, canary }, 'no worker answered'), plain);
    for (const words of [
      'Not reachable, so this is as last seen: no worker answered',
      'Parked since 2026-01-01 10:00:00Z: deploy v2: no gateway answers',
      'tried again at 2026-01-01 10:05:00Z, or at once after `tenure release retry employment 2`',
      'Promotion is held back until 2026-01-02 06:00:00Z, rollback is not: year end',
      'Held (void): a person must decide',
      'no number would do at the rates seen; about 987 if both are alike',
    ])
      assert.ok(frame.includes(words), words);
  });

  it('names each gate that did not pass, with its reason', () => {
    const validation = {
      ...releaseView().validation!,
      passed: false,
      gates: [
        {
          gate: 'metric:auc',
          passed: false,
          verdict: 'undecided' as const,
          summary: 'too few rows',
          detail: {},
        },
      ],
    };
    const frame = releaseFrame(sight({ validation, canary: null }), plain);
    assert.ok(frame.includes('Gates: 0 of 1 passed'));
    assert.ok(frame.includes('undecided  metric:auc: too few rows'));
  });

  it('shows a breach, a split that is not the configured one, and counts that cannot be', () => {
    const verdict = look({
      verdict: 'roll-back',
      sentence: 'Roll back: errors',
      guardrails: [guardrail({ breached: true, keysToProve: null })],
      sampleRatio: { ...look().sampleRatio, violated: true },
      problems: ['keys fell'],
    });
    const frame = releaseFrame(sight({ canary: { ...releaseView().canary!, verdict } }), plain);
    for (const words of [
      'Verdict: Roll back: errors',
      '  worse',
      'not the configured split',
      'Counts: keys fell',
    ])
      assert.ok(frame.includes(words), words);
  });

  it('draws a frame over the one before, folded to the terminal', () => {
    const { outputs, texts } = collect({ columns: 40, rows: 12 });
    const canvas = new Canvas(outputs.stdout, plain);
    canvas.draw(() => 'one\ntwo');
    canvas.draw((style) => releaseFrame(sight(), style));
    canvas.draw(() => 'end');
    const [first, second, third] = texts.stdout.split(`${ESCAPE}[0J`).slice(1);
    assert.equal(first, `one\ntwo\n${ESCAPE}[2A\r`);
    const lines = second?.split('\n').slice(0, -1) ?? [];
    assert.ok(lines.length < 12 && lines.every((line) => line.length <= 40));
    assert.ok(second?.endsWith(`${ESCAPE}[${lines.length}A\r`));
    assert.equal(third, 'end\n');
  });

  it('folds between words, and words that are longer than a line', () => {
    assert.deepEqual(fold('aa bb cc', 5), ['aa bb', 'cc']);
    assert.deepEqual(fold('abcdefgh ij', 3), ['abc', 'def', 'gh', 'ij']);
    assert.deepEqual(fold(`${ESCAPE}[31maa bb${ESCAPE}[39m`, 5), [`${ESCAPE}[31maa bb${ESCAPE}[39m`]);
  });
});

describe('command: progress for CI logs', () => {
  it('says each change once, and nothing when only counts have changed', () => {
    const first = sight();
    assert.deepEqual(progressLines(null, first), [
      'employment, release 2: all 2 gates passed',
      'employment, release 2: canary, waits for the next look at 1100 keys: Continue: not proven yet',
      'employment, release 2: step 2 of 3, 25 % of the keys',
      'employment, release 2: look 7: Continue: not proven yet',
    ]);
    const more = look({ look: 8, keys: 1100, sentence: 'Continue: not proven yet, 1100 keys' });
    assert.deepEqual(
      progressLines(first, sight({ canary: { ...releaseView().canary!, verdict: more } })),
      [],
    );
  });

  it('says the share of a step that the gateways are still to take over', () => {
    const canary = { ...releaseView().canary!, step: 2, weight: 0.25 };
    assert.deepEqual(progressLines(sight(), sight({ canary })), [
      'employment, release 2: step 3 of 3, 50 % of the keys',
    ]);
  });

  it('says steps, verdicts, holds, people, and the end with its reason', () => {
    const before = sight();
    const canary = { ...releaseView().canary!, step: 2, weight: 0.5, heldAs: 'inconclusive' as const };
    const proven = look({ verdict: 'inconclusive', look: 9, sentence: 'Inconclusive: the time is over' });
    const hold = { reason: 'year end', until: null };
    const now = sight({ canary: { ...canary, verdict: proven }, approval, hold });
    assert.deepEqual(
      progressLines(before, now).map((line) => line.replace('employment, release 2: ', '')),
      [
        'step 3 of 3, 50 % of the keys',
        'look 9: Inconclusive: the time is over',
        'held (inconclusive): a person must decide',
        'approval before promotion by 2 of beatrice, carlos, until 2026-01-02T10:30:00.000Z',
        'approved by beatrice: read it',
        'promotion is held back: year end',
      ],
    );
    const end = sight({
      stage: 'rolled-back',
      outcome: 'rolled-back',
      reason: 'errors',
      canary: now.view!.canary,
      approval,
    });
    assert.deepEqual(progressLines(now, end), ['employment, release 2: rolled-back: errors']);
  });

  it('says once that nothing can be reached, and that it can again', () => {
    const lost = sight({}, 'Temporal is not reachable');
    assert.deepEqual(progressLines(sight(), lost), [
      'employment, release 2: not reachable: Temporal is not reachable',
    ]);
    assert.deepEqual(progressLines(lost, lost), []);
    assert.deepEqual(progressLines(lost, sight()), ['employment, release 2: reachable again']);
  });
});

describe('command: what the data of a version looked like', () => {
  it('shows features, what is lacking, and the scores with labels and metrics', () => {
    const scores = Array.from({ length: 60 }, (_, i) => (i % 3 === 0 ? 0.25 : 0.75));
    const labels = scores.map((score, i) => (score > 0.5 === i % 7 > 0 ? 1 : 0));
    const features = [
      numericProfile('age', [...Array.from({ length: 59 }, (_, i) => i % 2), null]),
      categoricalProfile('kind', [...Array<string>(58).fill('a'), 'b', 'c'], 'string', 1),
      personalCategories(categoricalProfile('origin', Array<string>(60).fill('x'), 'string')),
    ];
    const score = scoreProfile(scores, labels, 0.5, 30);
    const content = {
      format: 1 as const,
      model: 'employment',
      artifact: 'a'.repeat(64),
      data: 'd'.repeat(64),
      sources: [],
      score: 'score',
      lacks: ['x: it is too wide'],
      profile: { format: 1 as const, rows: 60, features, score },
    };
    const page = profilePage({ digest: 'f'.repeat(64), madeAt: '2026-11-24T03:10:32.000Z', content }, plain);
    const lines = page.split('\n').map((line) => line.replaceAll(/ {2,}/g, ' | '));
    for (const line of [
      'profile | ffffffffffff of 2026-11-24 03:10:32Z',
      'made of | 60 rows of data set dddddddddddd',
      'lacks | x: it is too wide',
      'age | numeric | 1.67 % | 0 … 1 | 2 | 0.4915 ± 0.4999',
      'kind | categorical | 0 % | a | 1 values and 2 others | –',
      'origin | categorical, personal | 0 % | – | 0 values and 1 others | –',
      '0.75 … 1 | 40 | 34 | 85 % | ████████████████████████',
    ])
      assert.ok(lines.includes(line), `${line} is not in\n${page}`);
    assert.match(page, /accuracy +0\.\d+ … \S+ +0\.\d+ 0\.\d+/);
  });

  it('says when there is none', () => {
    assert.match(profilePage(null, plain), /^No reference profile: one is made when/);
  });
});

describe('command: tables, colours and texts of others', () => {
  it('aligns columns without borders', () => {
    assert.equal(
      table(
        plain,
        ['a', 'long'],
        [
          ['first', 'x'],
          ['b', 'y'],
        ],
      ),
      'a      long\nfirst  x\nb      y',
    );
  });

  it('colours on a terminal only, and never in JSON', () => {
    const coloured = createStyle(true);
    const rows = [{ model: 'm', version: 'v1', health: 'healthy', riskTier: 'low', owner: 'ada' }];
    assert.ok(modelTable(rows, coloured).includes(ESCAPE));
    assert.ok(!modelTable(rows, plain).includes(ESCAPE));
    const { outputs, texts } = collect();
    new Printer(outputs, { json: false }).result(rows, modelTable);
    assert.ok(!texts.stdout.includes(ESCAPE));
    const terminal = collect({ columns: 80, rows: 24 });
    new Printer(terminal.outputs, { json: true }).result(rows, modelTable);
    assert.deepEqual(JSON.parse(terminal.texts.stdout), rows);
  });

  it('does not let a reason drive the terminal', () => {
    const evil = `fine${ESCAPE}[2J${String.fromCodePoint(0x202e)}txt\rok`;
    const { outputs, texts } = collect();
    new Printer(outputs, { json: false }).result({ reason: evil }, ({ reason }) => reason);
    assert.equal(texts.stdout, 'fine\u{FFFD}[2J\u{FFFD}txt\u{FFFD}ok\n');
    assert.deepEqual(printable(['a\tb\nc', 1, null, true]), ['a\tb\nc', 1, null, true]);
  });

  it('makes a log line for machines readable', () => {
    const line =
      '{"level":40,"time":1,"pid":2,"hostname":"h","name":"worker","state":"RUNNING","msg":"Changed"}';
    assert.equal(readableLog(line), 'warn Changed state=RUNNING');
    assert.equal(readableLog('{not json'), '{not json');
  });

  it('shows gateways that lag, fail or have tripped', () => {
    const model = {
      model: 'm',
      wanted: 4,
      observed: 3,
      phase: 'canary' as const,
      champion: 'v1',
      candidate: 'v2',
      weight: 0.25,
      missing: ['v2'],
      failed: [{ digest: 'c'.repeat(64), reason: 'does not load' }],
      trips: [{ guardrail: 'errors', bad: 12, requests: 20 }],
    };
    const row = {
      gateway: 'g1',
      url: 'http://127.0.0.1:1',
      status: 'silent' as const,
      startedAt: '2026-01-01T00:00:00.000Z',
      silentSeconds: 33,
      models: [model],
    };
    const text = gatewayTable([row], plain);
    for (const words of [
      'silent',
      '33.0 s ago',
      'v2 25 %',
      '3, wanted 4',
      'cccccccccccc cannot be loaded: does not load',
      'tripped: errors 12 of 20',
      'loading: v2',
    ])
      assert.ok(text.includes(words), words);
  });

  it('names the first bad event, what was not compared and what cannot be shown', () => {
    const text = verified(
      {
        ok: false,
        streams: 1,
        events: 9,
        bad: [{ stream: 'm', sequence: 4, kind: 'changed', id: 'x', detail: 'the text was altered' }],
        badStreams: 1,
        headsMatched: 0,
        notShown: ['A cut end is not seen'],
        heads: {},
        headsUnknown: [{ stream: 'n', why: 'no worker answered' }],
        unreachable: true,
      },
      plain,
    );
    assert.ok(text.includes('m, event 4: changed (x): the text was altered'));
    assert.ok(text.includes('Head of n not compared: no worker answered'));
    assert.ok(text.includes('A cut end is not seen'));
  });

  it('keeps details out of the story unless asked', () => {
    const event = {
      sequence: 1,
      at: '2026-01-01T00:00:00.000Z',
      action: 'canary.look',
      who: 'Tenure',
      sentence: 'Look 1',
      detail: true,
    };
    const entries = [
      event,
      { ...event, sequence: 2, sentence: 'v2 is the champion', detail: false },
    ] as never;
    assert.equal(
      story(entries, plain, false),
      '   2  2026-01-01 00:00:00Z  v2 is the champion\n1 more event(s) of detail: --details',
    );
    assert.ok(story(entries, plain, true).startsWith('   1  2026-01-01 00:00:00Z  Look 1'));
  });
});

describe('command: what a model says of its retrainings', () => {
  const view = { running: null, last: null, heldBack: null, nextScheduled: null };

  it('is what runs, what came of the last one, what was held back and why, and what comes next', () => {
    assert.deepEqual(retrainingFacts(null), []);
    assert.deepEqual(retrainingFacts(view), [['retraining', 'none runs']]);
    const at = '2026-03-01T03:00:00.000Z';
    const running = { retraining: 3, trigger: 'finding' as const, startedAt: at };
    const submitted = {
      retraining: 2,
      outcome: 'submitted' as const,
      reason: null,
      release: 5,
      endedAt: at,
    };
    assert.deepEqual(retrainingFacts({ ...view, running, last: submitted }), [
      ['retraining', 'number 3 runs, by finding, since 2026-03-01 03:00:00Z'],
      ['retrained', 'number 2 ended submitted as release 5 at 2026-03-01 03:00:00Z'],
    ]);
    const standing = { waitingFor: 'train', parked: null, facts: ['Training set: 900 rows'] };
    const beat = {
      stage: 'training',
      attempt: 2,
      progress: 0.624,
      message: 'epoch 5',
      seconds: 12.3,
      memoryMb: 140.2,
    };
    assert.deepEqual(retrainingFacts({ ...view, running }, { ...standing, beat }).slice(1), [
      ['waits for', 'train: training, 62 %, epoch 5, for 12 s, 140 MiB, attempt 2'],
      ['', 'Training set: 900 rows'],
    ]);
    const parked = { what: 'train', why: 'no disk', since: at, retryAt: at };
    assert.deepEqual(
      retrainingFacts({ ...view, running }, { ...standing, facts: [], parked, beat: null }).slice(1),
      [
        ['waits for', 'train'],
        ['parked', 'train: no disk; tried again at 2026-03-01 03:00:00Z'],
      ],
    );
    const comparing = { ...standing, facts: [], beat: { stage: 'scoring', done: 2_000, total: 9_000 } };
    assert.equal(retrainingFacts({ ...view, running }, comparing)[1]?.[1], 'train: scoring, 2,000 of 9,000');
    // What a retraining said does not outlive it.
    assert.deepEqual(retrainingFacts(view, comparing), [['retraining', 'none runs']]);
    const last = { ...submitted, outcome: 'failed' as const, reason: 'exit code 3', release: null };
    const heldBack = { trigger: 'hand' as const, reason: 'the model is frozen', at };
    const next = [
      { by: 'finding' as const, at, finding: 'drift-1' },
      { by: 'finding' as const, at, finding: 'drift-2', others: 1 },
      { by: 'labels' as const, at, wanted: 2_000, counted: null },
      { by: 'labels' as const, at, wanted: 2_000, counted: 1_999 },
      { by: 'age' as const, at },
      { by: 'schedule' as const, at },
      { by: 'schedule' as const, at: null },
    ];
    assert.deepEqual(retrainingFacts({ ...view, last, heldBack, next }).slice(1), [
      ['retrained', 'number 2 ended failed at 2026-03-01 03:00:00Z: exit code 3'],
      ['held back', 'retraining by hand at 2026-03-01 03:00:00Z: the model is frozen'],
      [
        'trains next',
        'by finding drift-1, which was held back and is looked at again at 2026-03-01 03:00:00Z',
      ],
      [
        'trains next',
        'by finding drift-2, which was held back and is looked at again at 2026-03-01 03:00:00Z; 1 more waits behind it',
      ],
      ['trains next', 'by 2,000 new labels, counted next at 2026-03-01 03:00:00Z'],
      ['trains next', 'by 2,000 new labels; there were 1,999, counted next at 2026-03-01 03:00:00Z'],
      ['trains next', 'by the age of the champion at 2026-03-01 03:00:00Z'],
      ['trains next', 'by the schedule at 2026-03-01 03:00:00Z'],
      ['trains next', 'by the schedule never: no moment of it is to come'],
    ]);
  });
});
