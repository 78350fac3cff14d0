import * as z from 'zod';
import { FLEET_STREAM } from '../contracts/ledger.js';
import type { RiskTier, Task } from '../contracts/model.js';
import {
  defaulted,
  flag,
  label,
  list,
  name,
  number,
  oneOf,
  optional,
  orNull,
  section,
  seconds,
  share,
  text,
  whole,
} from './fields.js';
import { contact, gate, inputField, outputField } from './sections.js';
import { monitoring } from './monitoring-section.js';
import { retraining } from './retraining.js';
import { approvalPoint, freezeWindow, guardrail, shadowPlan, step } from './release-sections.js';
import { DEFAULT_GUARDRAILS, tierDefaults } from './tiers.js';
import type { TierDefaults } from './tiers.js';

export const RISK_TIERS = ['experimental', 'low', 'medium', 'high'] as const satisfies readonly RiskTier[];
export const TASKS = ['binary', 'multiclass', 'regression'] as const satisfies readonly Task[];
const DAY = 86_400;

const fixed = <T extends string>(value: T, about: string) =>
  z.literal(value, { error: value }).meta({ description: about, allowed: value });

function modelName() {
  const any = name({ about: 'Name of the model. It cannot be changed later.' });
  const error = `a name that is not taken: ${FLEET_STREAM} is the stream of what belongs to no model`;
  return any.refine((value) => value !== FLEET_STREAM, { error }).meta({ ...any.meta() });
}

function approval({ approval: defaults }: TierDefaults) {
  const point = (about: string, asked: boolean) => {
    const nullable = approvalPoint(defaults, about).nullable();
    // A tier that asks for approval makes the section mandatory, as only the file can name the approvers.
    const result = asked ? nullable.prefault({} as never) : nullable.default(null);
    return result.meta({ description: about, otherwise: asked ? 'needed' : null });
  };
  return optional(
    section(
      {
        beforeDeploy: point(
          'Approval after validation, before anything is deployed; null for none.',
          defaults.beforeDeploy,
        ),
        beforePromote: point(
          'Approval of the verdict table, before promotion; null for none.',
          defaults.beforePromote,
        ),
      },
      { about: 'Who must approve, and when. The submitter cannot approve.' },
    ),
  );
}

function canary({ canary: defaults }: TierDefaults) {
  return optional(
    section(
      {
        steps: defaulted(list(step, { about: 'Weights rise strictly.', min: 1, max: 20 }), () =>
          structuredClone(defaults.steps),
        ),
        guardrails: defaulted(
          list(guardrail, { about: 'What the candidate is judged by.', min: 1, max: 16 }),
          () => structuredClone(DEFAULT_GUARDRAILS),
        ),
        judgement: defaulted(
          oneOf(['prove', 'watch'], {
            about:
              '`prove` promotes only what is shown not to be worse by the margin; `watch` promotes after the minimum unless rolled back.',
          }),
          () => defaults.judgement,
        ),
        alpha: defaulted(
          share({ about: 'Bound on rolling back a healthy candidate.', above: 0, max: 0.5 }),
          () => 0.01,
        ),
        beta: defaulted(
          share({ about: 'Bound on promoting a candidate that is worse by the margin.', above: 0, max: 0.5 }),
          () => 0.05,
        ),
        maxSeconds: defaulted(
          seconds({ about: 'Undecided after so long: held for a person.', min: 1, max: 90 * DAY }),
          () => defaults.maxSeconds,
        ),
        rollbackDrill: defaulted(
          flag({ about: 'Rehearse the rollback at the first step: to weight 0 and back, timed.' }),
          () => defaults.rollbackDrill,
        ),
      },
      { about: 'How a candidate gets traffic and is judged.' },
    ),
  );
}

function serving() {
  return optional(
    section(
      {
        deadlineMs: defaulted(
          whole({
            about:
              'Time for an answer, milliseconds, the fallback included. At least `objectives.latencyMs`.',
            min: 1,
            max: 600_000,
          }),
          () => 1000,
        ),
        fallback: defaulted(flag({ about: 'Answer by the champion when the candidate fails.' }), () => true),
        leaseSeconds: defaulted(
          seconds({
            about: 'A gateway that has not read its table for so long sends nothing to candidates.',
            min: 1,
            max: 3600,
          }),
          () => 15,
        ),
        maxConcurrency: defaulted(
          whole({ about: 'Requests in flight per version and gateway before 503.', min: 1, max: 10_000 }),
          () => 64,
        ),
        routingKeyHeader: defaulted(
          text({
            about: 'Request header that carries the routing key. Without it the request id is the key.',
            max: 64,
            pattern: /^[a-z0-9][a-z0-9-]*$/,
            allowed: 'lower-case letters, digits and hyphens',
          }),
          () => 'tenure-routing-key',
        ),
      },
      { about: 'How the gateway serves the model.' },
    ),
  );
}

function shape(task: Task, tier: TierDefaults) {
  return {
    apiVersion: fixed('tenure/v1', 'Version of this format.'),
    kind: fixed('Model', 'What the file describes.'),
    name: modelName(),
    team: name({ about: 'Team that the model belongs to.' }),
    owner: text({ about: 'Person who answers for it.', max: 128 }),
    contacts: defaulted(list(contact, { about: 'Who is told when something happens.', max: 50 }), () => []),
    purpose: text({ about: 'What it is for, and what not.', max: 4000 }),
    task: oneOf(TASKS, { about: 'What predicting means; decides which metrics apply.' }),
    riskTier: oneOf(RISK_TIERS, {
      about: 'How much harm a wrong version can do; fills in what the file leaves out.',
    }),
    schema: section(
      {
        inputs: list(inputField, { about: 'Inputs of every version.', min: 1, max: 10_000 }),
        outputs: list(outputField, { about: 'Outputs of every version.', min: 1, max: 100 }),
      },
      { about: 'What every version is asked and what it answers.' },
    ),
    prediction: section(
      {
        score: text({
          about:
            'Output that holds P(positive class) (binary), the class probabilities (multiclass) or the value (regression).',
        }),
        classes: list(label({ about: 'A class.' }), {
          about:
            'Classes in the order of the probabilities; binary: negative, positive (`[0, 1]` when absent); multiclass: needed; regression: none.',
          max: 10_000,
        }).default(() => (task === 'binary' ? [0, 1] : [])),
        threshold: defaulted(
          share({ about: 'Score at or above which a binary prediction is positive.' }),
          () => 0.5,
        ),
      },
      { about: 'How outputs are read.' },
    ),
    validation: section(
      {
        data: text({ about: 'Labelled data set, Parquet or CSV; a path relative to this file.', max: 4096 }),
        dataDigest: defaulted(
          orNull(
            text({
              about: 'Filled in when the manifest is applied.',
              max: 64,
              pattern: /^[0-9a-f]{64}$/,
              allowed: '64 lower-case hex digits',
            }),
          ),
          () => null,
        ),
        target: text({ about: 'Column of the label.' }),
        goldenRows: defaulted(
          whole({ about: 'Rows kept to compare served with offline answers.', min: 1, max: 10_000 }),
          () => 100,
        ),
        goldenTolerance: defaulted(
          number({ about: 'Largest difference between an offline and a served score.', above: 0 }),
          () => 1e-5,
        ),
        gates: defaulted(
          list(gate, {
            about: 'Offline checks. Tiers medium and high need at least one of kind metric or no-regression.',
            max: 200,
          }),
          () => [],
        ),
      },
      { about: 'What a version must pass before anybody is asked.' },
    ),
    approval: approval(tier),
    shadow: defaulted(orNull(shadowPlan), () => structuredClone(tier.shadow)),
    canary: canary(tier),
    soak: optional(
      section(
        {
          seconds: defaulted(
            seconds({ about: 'Time that a promoted version is watched.', min: 0, max: 30 * DAY }),
            () => tier.soak.seconds,
          ),
          holdback: defaulted(
            share({
              about: 'Share of routing keys that stay on the former champion meanwhile.',
              min: 0,
              max: 0.5,
            }),
            () => tier.soak.holdback,
          ),
        },
        { about: 'The time after promotion.' },
      ),
    ),
    objectives: optional(
      section(
        {
          availability: defaulted(
            share({ about: 'Least share of requests answered without error.', above: 0, below: 1 }),
            () => tier.objectives.availability,
          ),
          latencyMs: defaulted(
            number({ about: 'An answer is slow above this, milliseconds.', above: 0, max: 600_000 }),
            () => tier.objectives.latencyMs,
          ),
          slowShare: defaulted(
            share({ about: 'Largest share of slow answers.', above: 0, below: 1 }),
            () => tier.objectives.slowShare,
          ),
        },
        { about: 'Service objectives: bounds where there is no champion to compare with.' },
      ),
    ),
    serving: serving(),
    rollbackWindowSeconds: defaulted(
      seconds({
        about: 'How long a former champion stays loaded, ready to take over at once.',
        min: 0,
        max: 365 * DAY,
      }),
      () => tier.rollbackWindowSeconds,
    ),
    freezeWindows: defaulted(
      list(freezeWindow, { about: 'When promotion is held back, week by week; rollback never is.', max: 50 }),
      () => [],
    ),
    monitoring: monitoring(tier),
    retraining: defaulted(orNull(retraining(task)), () => null),
  };
}

function build(tier: RiskTier, task: Task) {
  return section(shape(task, tierDefaults(tier, task)), {
    about: 'A model in production, or on the way to it.',
  });
}

export type ManifestSchema = ReturnType<typeof build>;

/** Building one takes longer than many checks. */
const built = new Map<string, ManifestSchema>();

/**
 * The schema of model.yaml with the defaults of a tier. What it puts out is a contracts `Manifest` (compile-time test);
 * what it takes in may leave out whatever has a default. Rules across fields are in checks.ts.
 */
export function manifestSchema(tier: RiskTier, task: Task): ManifestSchema {
  const key = `${tier} ${task}`;
  const schema = built.get(key) ?? build(tier, task);
  built.set(key, schema);
  return schema;
}
