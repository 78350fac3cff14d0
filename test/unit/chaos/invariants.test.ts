import assert from 'node:assert/strict';
import type { LedgerEvent } from '../../../src/contracts/ledger.js';
import type { RoutingTable } from '../../../src/contracts/routes.js';
import { championByRecord, type ModelFacts, violationsOf } from '../../support/chaos/invariants.js';
import { desired } from '../../support/gateway.js';
import { refOf } from '../../support/scripted-platform.js';

const AT = Date.parse('2026-01-01T10:00:00.000Z');

/** `[action, release, version, generation?]`, or an id in place of what the action gives. */
type Line = readonly [action: string, release: number, version: string, generation?: number, id?: string];

const evidenceOf = (generation: number | undefined): LedgerEvent['evidence'] =>
  generation === undefined ? {} : { generation, confirmed: ['gateway-1'] };

const eventsOf = (lines: readonly Line[]): LedgerEvent[] =>
  lines.map(([action, release, version, generation, id], i) => ({
    stream: 'm',
    id: id ?? `release:m:${release}/${action}/1`,
    action,
    actor: { kind: 'system', id: 'test' },
    subject: { release, version },
    evidence: evidenceOf(generation),
    at: new Date(AT + i * 1_000).toISOString(),
    sequence: i + 1,
    previousHash: '',
  }));

const STORY: readonly Line[] = [
  ['release.submitted', 1, 'v1'],
  ['release.deployed', 1, 'v1', 1],
  ['release.promoted', 1, 'v1', 2],
  ['release.succeeded', 1, 'v1', 3],
  ['release.submitted', 2, 'v2'],
  ['release.deployed', 2, 'v2', 4],
  ['release.promoted', 2, 'v2', 5],
  ['release.aborted', 2, 'v2', 6],
];

const table = (changes: Partial<RoutingTable> = {}): RoutingTable => ({
  ...desired({ champion: refOf('v1') }),
  model: 'm',
  generation: 6,
  changeId: 'release:m:2/take-back/1',
  changedAt: new Date(AT).toISOString(),
  ...changes,
});

const good = (changes: Partial<ModelFacts> = {}): ModelFacts => ({
  model: 'm',
  events: eventsOf(STORY),
  ledgerProblems: [],
  releases: [
    {
      release: 1,
      version: 'v1',
      inTemporal: 'succeeded',
      inModel: 'succeeded',
      mayEnd: ['succeeded'],
      endedAt: AT + 3_000,
    },
    {
      release: 2,
      version: 'v2',
      inTemporal: 'aborted',
      inModel: 'aborted',
      mayEnd: ['aborted'],
      endedAt: AT + 7_000,
    },
  ],
  table: table(),
  champion: 'v1',
  inFlight: null,
  observed: { 'gateway-1': 6 },
  answers: {
    asked: 100,
    answered: 100,
    lost: [],
    byVersion: {
      v1: { count: 90, lastSentAt: AT + 60_000 },
      v2: { count: 10, lastSentAt: AT + 8_000 },
    },
    tries: 104,
    longestGapMs: 900,
  },
  counted: 99,
  ...changes,
});

const without = (action: string, release: number): Line[] =>
  STORY.filter(([a, r]) => a !== action || r !== release);

describe('the invariants of chaos', () => {
  it('hold on a story that is whole', () => {
    assert.deepEqual(violationsOf(good()), []);
    assert.equal(championByRecord(good().events), 'v1');
  });

  const broken: readonly [what: string, changes: Partial<ModelFacts>, rule: string, words: RegExp][] = [
    ['a release without an end', { events: eventsOf(without('release.aborted', 2)) }, 'one-end', /0 ends/],
    [
      'a release with two ends',
      { events: eventsOf([...STORY, ['release.rolled-back', 2, 'v2', 7]]), table: table({ generation: 7 }) },
      'one-end',
      /2 ends/,
    ],
    [
      'an end that Temporal does not know',
      { releases: [good().releases[0]!, { ...good().releases[1]!, inTemporal: 'running' }] },
      'one-end',
      /aborted in the ledger, running in Temporal/,
    ],
    [
      'an end that the model does not know',
      { releases: [good().releases[0]!, { ...good().releases[1]!, inModel: 'canary' }] },
      'one-end',
      /canary in the model/,
    ],
    [
      'an end that the release may not come to',
      { releases: [good().releases[0]!, { ...good().releases[1]!, mayEnd: ['succeeded', 'rejected'] }] },
      'one-end',
      /aborted, may only be succeeded or rejected/,
    ],
    ['a release nobody asked for', { releases: [good().releases[0]!] }, 'one-end', /1 were asked for, 1,2/],
    [
      'a candidate left in the table',
      { table: table({ candidate: { ...refOf('v2'), weight: 0.5 } }) },
      'routes',
      /candidate/,
    ],
    ['the wrong champion', { table: table({ champion: refOf('v2') }) }, 'routes', /v2 serves/],
    ['no table', { table: null }, 'routes', /no table/],
    ['a model that believes in another', { champion: 'v2' }, 'routes', /model's state/],
    ['a model whose release goes on', { inFlight: 2 }, 'routes', /in flight/],
    ['a gateway on an old generation', { observed: { 'gateway-1': 5 } }, 'routes', /reports generation 5/],
    ['a ledger that does not verify', { ledgerProblems: ['changed at 3'] }, 'ledger', /changed at 3/],
    [
      'an event that stands twice',
      { events: eventsOf([...STORY, ['canary.look', 2, 'v2', undefined, 'release:m:2/release.aborted/1']]) },
      'once',
      /stands twice/,
    ],
    [
      'an act done twice under two ids',
      {
        events: eventsOf([
          ...STORY.slice(0, 7),
          ['release.promoted', 2, 'v2', 6, 'other'],
          ...STORY.slice(7).map(([a, r, v]) => [a, r, v, 7] as const),
        ]),
        table: table({ generation: 7 }),
        observed: { 'gateway-1': 7 },
      },
      'once',
      /release.promoted of release 2 stands twice/,
    ],
    [
      'an act recorded again',
      { events: eventsOf([...STORY, ['canary.look', 2, 'v2', undefined, 'release:m:2/x/again/1']]) },
      'once',
      /recorded again/,
    ],
    [
      'a generation that nobody made',
      { events: eventsOf(without('release.deployed', 2)) },
      'once',
      /between 3 and 5/,
    ],
    [
      'a generation made twice',
      { events: eventsOf(STORY.map(([a, r, v, g, id]) => [a, r, v, g === 5 ? 4 : g, id] as const)) },
      'once',
      /generation 4 is recorded after 4/,
    ],
    [
      'a table beyond the record',
      { table: table({ generation: 7 }), observed: {} },
      'once',
      /has generation 7/,
    ],
    ['a lost answer', { answers: { ...good().answers, lost: ['503 from gateway-1'] } }, 'answers', /503/],
    [
      'a request without an answer',
      { answers: { ...good().answers, answered: 99 } },
      'answers',
      /99 answers/,
    ],
    [
      'an answer by a version that was taken back',
      { answers: { ...good().answers, byVersion: { v2: { count: 1, lastSentAt: AT + 60_000 } } } },
      'answers',
      /v2 answered users after/,
    ],
    ['more counted than was asked', { counted: 105 }, 'answers', /105 requests are counted/],
  ];
  for (const [what, changes, rule, words] of broken)
    it(`show ${what}`, () => {
      const found = violationsOf(good(changes));
      assert.ok(
        found.some((violation) => violation.rule === rule && words.test(violation.what)),
        JSON.stringify(found),
      );
    });

  it('let a gap of generations pass where an intent or a rehearsal explains it', () => {
    for (const line of [
      ['release.deployed-requested', 2, 'v2', undefined, 'release:m:2/deploy/1/intent'],
      ['canary.rollback-rehearsed', 2, 'v2', undefined, 'release:m:2/drill/1'],
    ] as const)
      assert.deepEqual(
        violationsOf(good({ events: eventsOf([...STORY.slice(0, 5), line, ...STORY.slice(6)]) })),
        [],
      );
  });
});
