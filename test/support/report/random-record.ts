import type { LedgerEvent } from '../../../src/contracts/ledger.js';
import { POLICY_GROUPS } from '../../../src/contracts/monitoring.js';
import type { WindowCell } from '../../../src/contracts/windows.js';
import type { WindowDocument } from '../../../src/platform/windows/collections.js';
import { emptySketch } from '../../../src/statistics/sketch.js';
import { createRandom, type Random } from '../random.js';

export const START = Date.parse('2026-03-02T00:00:00.000Z');
const DAY = 86_400_000;
export const DAYS = 24;

export interface RandomRecord {
  readonly events: readonly LedgerEvent[];
  readonly windows: readonly WindowDocument[];
}

type Fields = LedgerEvent['evidence'];

/** What the names of its models begin with. */
export const recordName = (seed: number): string => `r${seed}-`;

/**
 * A record as it could be, and as it could not: releases end before they began, incidents blame releases that are not there, acts stand
 * later in the stream than they happened. Whoever computes figures must put up with all of it, in the same way.
 */
export function randomRecord(seed: number): RandomRecord {
  const random = createRandom(seed);
  // Numbers of their own: the rest of a record is what tests have found under its seed.
  const policies = createRandom(-seed);
  const validations = createRandom(1e6 + seed);
  const events: LedgerEvent[] = [];
  const windows: WindowDocument[] = [];
  const models = Array.from({ length: 1 + random.below(4) }, (_, i) => `${recordName(seed)}${i}`);
  for (const model of models) {
    events.push(...new Stream(model, random, policies, validations).events);
    windows.push(...windowsOf(model, random));
  }
  return { events, windows };
}

class Stream {
  readonly events: LedgerEvent[] = [];
  readonly #model: string;
  readonly #random: Random;
  readonly #policies: Random;
  readonly #validations: Random;
  /** The newest. */
  #applied: Fields | null = null;
  #now = START + 3_600_000;

  constructor(model: string, random: Random, policies: Random, validations: Random) {
    this.#model = model;
    this.#random = random;
    this.#policies = policies;
    this.#validations = validations;
    // Some models are known by their events alone.
    if (random.uniform() < 0.95) this.#manifest();
    for (const number of [1, 2, 3, 4]) if (random.uniform() < 0.6) this.#register(`v${number}`);
    const steps = 5 + random.below(45);
    for (let i = 0; i < steps; i += 1) {
      this.#step();
      if (validations.uniform() < 0.1) this.#applyAgain();
    }
  }

  #step(): void {
    const random = this.#random;
    this.#now += Math.floor(random.uniform() ** 3 * 1.4 * DAY) + (random.uniform() < 0.1 ? 0 : 1);
    const release = 1 + random.below(6);
    const version = `v${1 + (release % 4)}`;
    const of = { release, version, digest: version.padEnd(64, '0') };
    const [incident, retraining] = [{ incident: 1 + random.below(4) }, { retraining: 1 + random.below(4) }];
    const acts: readonly (readonly [weight: number, act: () => void])[] = [
      [2, () => this.#register(version)],
      [6, () => this.#add('release.submitted', of, { superseded: [] }, random.uniform() < 0.5)],
      [2, () => this.#add('release.validated', of, {})],
      [4, () => this.#add('release.approval-requested', of, { gate: 'beforeDeploy' })],
      [2, () => this.#add('approval.given', of, { reason: 'fine' }, true)],
      [3, () => this.#add('release.approved', of, {})],
      [
        8,
        () => this.#add('release.promoted', of, { former: random.uniform() < 0.4 ? null : this.#version() }),
      ],
      [5, () => this.#add('release.succeeded', of, {})],
      [2, () => this.#add('release.rolled-back', of, { reason: 'worse' })],
      [1, () => this.#add('release.rejected', of, { reason: 'no' })],
      // Taken back by its model, which names no version.
      [2, () => this.#add('release.aborted', { release }, { reason: 'stop' }, random.uniform() < 0.5)],
      [
        2,
        () =>
          this.#add(
            'model.rolled-back',
            { ...this.#version(), from: this.#version() },
            {},
            random.uniform() < 0.7,
          ),
      ],
      [
        0.5,
        () => this.#add('model.realigned', { champion: random.uniform() < 0.5 ? null : this.#version() }, {}),
      ],
      [0.3, () => this.#add('model.recovered', { champion: this.#version() }, {})],
      [0.4, () => this.#add('model.retired', { champion: null }, {}, true)],
      [0.5, () => this.#manifest()],
      [5, () => this.#incident(incident)],
      [2, () => this.#add('incident.acknowledged', incident, {}, true)],
      [2, () => this.#add('incident.mitigated', incident, {})],
      [4, () => this.#add('incident.resolved', incident, { windows: 3 }, this.#validations.uniform() < 0.5)],
      [1, () => this.#add('incident.lost', incident, { reason: 'by hand' })],
      [
        1,
        () =>
          this.#add('incident.repeated', incident, {
            severity: random.uniform() < 0.5 ? 'critical' : 'warning',
            release: random.uniform() < 0.5 ? null : release,
            findings: [`f${random.below(3)}`],
          }),
      ],
      [1, () => this.#add('incident.reopened', incident, { release: null, findings: ['f2'] })],
      [3, () => this.#retraining(retraining)],
      [4, () => this.#retrained(retraining)],
      [1, () => this.#add('retraining.held-back', {}, { trigger: 'finding', reason: 'cooldown' })],
    ];
    let place = random.uniform() * acts.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, act] of acts) {
      place -= weight;
      if (place < 0) return act();
    }
  }

  #register(version: string): void {
    this.#add('version.registered', { version, digest: version.padEnd(64, '0') }, { sizeBytes: 1 }, true);
  }

  #version() {
    const version = `v${1 + this.#random.below(4)}`;
    return { version, digest: version.padEnd(64, '0') };
  }

  #manifest(): void {
    const random = this.#random;
    const any = <T>(...values: readonly T[]): T => values[random.below(values.length)] as T;
    const triggers = {
      finding: any(true, false),
      schedule: any(null, null, { cron: '0 3 * * *' }),
      newLabels: any(null, null, 500),
      maxAgeSeconds: any(null, null, 86_400),
    };
    const manifest = {
      team: any('billing', 'claims'),
      owner: any('ada', 'bea'),
      riskTier: any('low', 'high'),
      purpose: 'a test',
      retraining: any(null, { triggers }),
      ...this.#basis(),
      ...this.#monitoring(),
    };
    this.#applied = manifest;
    this.#add('manifest.applied', { revision: 1 }, { manifest }, true);
  }

  /** Another manifest of the same people, which changes what validations rest on, or does not. */
  #applyAgain(): void {
    if (this.#applied === null) return;
    const [riskTier, contact] = [this.#anyTier(), this.#validations.below(9)];
    this.#applied = { ...this.#applied, ...this.#basis(), riskTier, contacts: [`c${contact}`] };
    this.#push('manifest.applied', { revision: 1 }, { manifest: this.#applied }, true, this.#now);
  }

  #anyTier(): string {
    return ['experimental', 'low', 'medium', 'high'][this.#validations.below(4)] ?? 'low';
  }

  /** What validations rest on, mostly the same; of before there was such, nothing of it. */
  #basis(): Fields {
    const validations = this.#validations;
    const rarely = (): boolean => validations.uniform() < 0.15;
    if (rarely()) return {};
    const age = { name: 'age', width: 1, max: rarely() ? 130 : 120, personal: validations.uniform() < 0.5 };
    const job = { width: 1, name: 'job' };
    const [auc, size] = [{ kind: 'metric', metric: 'auc', min: rarely() ? 0.6 : 0.7 }, { kind: 'size' }];
    const isTurned = validations.uniform() < 0.5;
    return {
      purpose: rarely() ? 'another' : 'a test',
      schema: { outputs: [{ name: 'score' }], inputs: isTurned ? [job, age] : [age, job] },
      prediction: isTurned ? { threshold: 0.5, score: 'score' } : { score: 'score', threshold: 0.5 },
      validation: {
        data: `d${validations.below(9)}.csv`,
        dataDigest: rarely() ? 'e' : 'd',
        target: 'y',
        gates: isTurned ? [size, auc] : [auc, size],
      },
    };
  }

  #monitoring(): Fields {
    const policies = this.#policies;
    const acts = [
      ['notify'],
      ['notify', 'hold'],
      ['notify', 'roll-back'],
      ['notify', 'retrain'],
      [],
    ] as const;
    const policy = Object.fromEntries(
      POLICY_GROUPS.map((group) => [group, acts[policies.below(acts.length)] ?? []]),
    );
    const days = [null, 3, 8][this.#validations.below(3)] ?? null;
    const on = { monitoring: { policy, revalidateSeconds: days === null ? null : days * 86_400 } };
    // Of before there was monitoring; turned off; on.
    return [{}, { monitoring: null }, on, on][policies.below(4)] ?? {};
  }

  #incident(subject: Fields): void {
    const random = this.#random;
    const iso = (time: number): string => new Date(time).toISOString();
    const detected = this.#now - random.below(600_000);
    const onset = random.uniform() < 0.3 ? null : iso(detected - random.below(4 * 3_600_000) + 600_000);
    this.#add('incident.opened', subject, {
      cause: 'drift',
      origin: (['revalidation', 'rolled-back', 'finding', 'finding'] as const)[random.below(4)] ?? 'finding',
      severity: (['info', 'warning', 'critical'] as const)[random.below(3)] ?? 'info',
      onset,
      detected: iso(detected),
      release: random.uniform() < 0.4 ? null : 1 + random.below(6),
      findings: random.uniform() < 0.5 ? [] : [`f${random.below(3)}`],
    });
  }

  #retraining(subject: Fields): void {
    const random = this.#random;
    const trigger = (['finding', 'schedule', 'labels', 'age', 'hand'] as const)[random.below(5)] ?? 'hand';
    const finding = trigger === 'finding' ? `f${random.below(3)}` : null;
    this.#add('retraining.requested', subject, { trigger, by: 'x', finding }, trigger === 'hand');
  }

  #retrained(subject: Fields): void {
    const random = this.#random;
    const outcomes = [
      'submitted',
      'submitted',
      'submitted',
      'not-better',
      'insufficient',
      'failed',
      'cancelled',
    ];
    const outcome = outcomes[random.below(outcomes.length)] ?? 'failed';
    const release = outcome === 'submitted' ? 1 + random.below(6) : null;
    this.#add('retraining.ended', subject, { outcome, release, version: null, reason: null });
    // Its own message is no person's, whoever the ledger names.
    if (release !== null)
      this.#add(
        'release.submitted',
        { release, version: `v${1 + (release % 4)}` },
        {},
        `retraining:${this.#model}:1`,
      );
  }

  #add(action: string, subject: Fields, evidence: Fields, by: boolean | string = false): void {
    const late = this.#random.uniform() < 0.05 ? this.#random.below(DAY) : 0;
    this.#push(action, subject, evidence, by, this.#now - late);
  }

  #push(action: string, subject: Fields, evidence: Fields, by: boolean | string, at: number): void {
    const sequence = this.events.length + 1;
    this.events.push({
      stream: this.#model,
      sequence,
      previousHash: '0'.repeat(64),
      id: `${this.#model}/${sequence}`,
      action,
      actor:
        by === false
          ? { kind: 'system', id: `model:${this.#model}` }
          : { kind: 'person', id: by === true ? 'otto' : by },
      subject,
      evidence,
      at: new Date(at).toISOString(),
    });
  }
}

function windowsOf(model: string, random: Random): readonly WindowDocument[] {
  const count = random.uniform() < 0.2 ? 0 : random.below(30);
  return Array.from({ length: count }, (_, i) => {
    const from = START + random.below(DAYS * DAY);
    const to = from + 1_000 + random.below(4 * 3_600_000);
    const id = `${model}/${i}`;
    return {
      _id: id,
      batches: [id],
      insertedAt: new Date(to),
      gateway: 'g',
      boot: 'b',
      sequence: i + 1,
      model,
      span: (['batch', 'minute', 'hour', 'day'] as const)[random.below(4)] ?? 'batch',
      from,
      to,
      tables: [],
      cells: Array.from({ length: 1 + random.below(3) }, () => cell(random)),
      releases: [],
      level: 0,
      evidence: [],
      lost: { batches: 0, requests: 0 },
    };
  });
}

function cell(random: Random): WindowCell {
  const role = (['champion', 'candidate', 'holdback', 'shadow'] as const)[random.below(4)] ?? 'champion';
  const [split, unsplit] = [random.below(40), random.below(5)];
  const broken = random.uniform() < 0.3;
  return {
    version: 'v1',
    digest: '1'.repeat(64),
    role,
    generation: 1,
    release: null,
    requests: {
      split,
      unsplit,
      fallback: random.below(4),
      shed: random.below(3),
      forced: random.below(3),
      drill: 0,
      clientError: 1,
    },
    errors: { 'run-failed': broken ? 60 : random.below(3), late: random.below(9), deadline: random.below(2) },
    latency: emptySketch(),
    scores: emptySketch(),
    slow: 0,
    bad: {},
    shadow: { compared: 0, agreed: 0, failed: 0, dropped: 0 },
  };
}
