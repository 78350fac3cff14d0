import * as z from 'zod';
import {
  flag,
  label,
  list,
  name,
  number,
  oneOf,
  orNull,
  section,
  seconds,
  share,
  text,
  whole,
} from './fields.js';
import { GUARDRAIL_DEFAULTS } from './tiers.js';

const DAY = 86_400;
const DATATYPES = ['BOOL', 'INT64', 'FP32', 'FP64', 'BYTES'] as const;
const OPERATORS = ['<', '<=', '>', '>=', '==', '!='] as const;
export const METRICS = [
  'auc',
  'logLoss',
  'brier',
  'accuracy',
  'ece',
  'macroF1',
  'ovrEce',
  'mae',
  'rmse',
] as const;

const person = (about: string) => text({ about, max: 128 });
const role = (about: string) => text({ about, max: 64 });

/** With the default also in the metadata as `otherwise`, where the JSON Schema and the reference find it. */
export function defaulted<T extends z.ZodType>(
  schema: T,
  value: () => z.output<T> & z.core.util.NoUndefined<z.output<T>>,
) {
  return schema.default(value as never).meta({ ...schema.meta(), otherwise: value() });
}

export const contact = section(
  {
    name: person('Name of the person or group.'),
    role: role('What to turn to them for, e.g. `on-call`.'),
    email: z
      .email({ error: 'an e-mail address' })
      .max(254)
      .optional()
      .meta({ description: 'E-mail address.', allowed: 'an e-mail address' }),
  },
  { about: 'Somebody to tell.' },
);

const width = (about: string) => defaulted(whole({ about, min: 1, max: 100_000 }), () => 1);

export const inputField = section(
  {
    name: text({ about: 'Name of the input, as in the ONNX file and in requests.' }),
    datatype: oneOf(DATATYPES, { about: 'Datatype of the Open Inference Protocol.' }),
    width: width('Values per row; 1 for a column.'),
    nullable: defaulted(flag({ about: 'Whether rows may lack the value.' }), () => false),
    min: number({ about: 'Least value; numeric datatypes only.' }).optional(),
    max: number({ about: 'Largest value; numeric datatypes only.' }).optional(),
    categories: list(label({ about: 'A category.' }), {
      about: 'The values that occur: text for BYTES, numbers for numeric datatypes.',
      min: 1,
      max: 10_000,
    }).optional(),
  },
  { about: 'An input of the model.' },
);

export const outputField = section(
  {
    name: text({ about: 'Name of the output, as in the ONNX file and in answers.' }),
    datatype: oneOf(DATATYPES, { about: 'Datatype of the Open Inference Protocol.' }),
    width: width('Values per row; the number of classes for class probabilities.'),
  },
  { about: 'An output of the model.' },
);

const exception = section(
  {
    group: label({ about: 'The group that may miss the bound.' }),
    reason: text({ about: 'Why.', max: 2000 }),
    approver: person('Who allowed it.'),
    expires: z.iso
      .date({ error: 'a date such as 2027-06-30' })
      .meta({ description: 'Last day of the exception.', allowed: 'a date such as 2027-06-30' }),
  },
  { about: 'A documented exception.' },
);

const asText = (value: unknown): unknown => (typeof value === 'number' ? String(value) : value);
const smallGroups = z
  .preprocess(
    (value) => (value === 'report-only' ? { policy: value } : value),
    z.discriminatedUnion(
      'policy',
      [
        section(
          {
            policy: z
              .literal('merge-into')
              .meta({ description: 'Small groups are judged together with another.' }),
            into: z
              .preprocess(asText, text({ about: 'The group that takes them in.' }))
              .meta({ type: ['string', 'number'] }),
          },
          { about: 'Judge small groups together with another.' },
        ),
        section(
          {
            policy: z.literal('report-only').meta({ description: 'Small groups are reported, not judged.' }),
          },
          { about: 'Report small groups.' },
        ),
      ],
      { error: 'report-only, or a section with policy merge-into and into, or policy report-only' },
    ),
  )
  .meta({
    description: 'What becomes of groups with fewer rows. Also as plain `report-only`.',
    also: { const: 'report-only' },
  });

const metric = oneOf(METRICS, {
  about:
    'binary: auc, logLoss, brier, accuracy, ece; multiclass: accuracy, logLoss, macroF1, ovrEce; regression: mae, rmse.',
});
const kind = <T extends string>(value: T, about: string) => z.literal(value).meta({ description: about });

export const gate = z
  .discriminatedUnion(
    'kind',
    [
      section(
        {
          kind: kind('metric', 'The metric is within bounds.'),
          metric,
          min: number({ about: 'Least value; `min` or `max` is needed.' }).optional(),
          max: number({ about: 'Largest value.' }).optional(),
        },
        { about: 'Metric threshold.' },
      ),
      section(
        {
          kind: kind(
            'no-regression',
            'Not worse than the champion on the same rows: the one-sided 95 % confidence limit of the loss is below the margin.',
          ),
          metric,
          margin: number({ about: 'Loss that is still acceptable, in units of the metric.', above: 0 }),
        },
        { about: 'No regression against the champion.' },
      ),
      section(
        {
          kind: kind('subgroup', 'A bound for every group of a column, compared on confidence limits.'),
          column: text({ about: 'Column of the data set that holds the groups.' }),
          measure: oneOf(['disparate-impact', 'equal-opportunity', 'no-regression'], {
            about: 'What is compared.',
          }),
          bound: share({
            about:
              'disparate-impact: least ratio; equal-opportunity: largest difference; no-regression: largest loss of accuracy against the champion.',
          }),
          enforce: defaulted(flag({ about: 'Whether the gate fails, or only reports.' }), () => true),
          reference: label({
            about: 'Group that the others are compared with; the largest when absent.',
          }).optional(),
          minRows: defaulted(
            whole({ about: 'Rows that a group needs to be judged.', min: 1, max: 1e9 }),
            () => 100,
          ),
          smallGroups: defaulted(smallGroups, () => ({ policy: 'report-only' as const })),
          exceptions: defaulted(
            list(exception, { about: 'Groups that may miss the bound for a time.', max: 100 }),
            () => [],
          ),
        },
        { about: 'Subgroup bound (fairness).' },
      ),
      section(
        {
          kind: kind('latency', 'Time of one row inside the runtime.'),
          p95Ms: number({ about: 'Largest 95th percentile, milliseconds.', above: 0, max: 600_000 }),
          rows: defaulted(whole({ about: 'Rows that are timed.', min: 20, max: 1_000_000 }), () => 1000),
        },
        { about: 'Latency budget.' },
      ),
      section(
        {
          kind: kind('size', 'Size of the artifact.'),
          maxBytes: whole({ about: 'Largest size in bytes.', min: 1, max: Number.MAX_SAFE_INTEGER }),
        },
        { about: 'Artifact size.' },
      ),
      section(
        {
          kind: kind('command', 'A command of your own; its contract is in docs/gates.md.'),
          name: name({ about: 'Name of the gate in the report.' }),
          command: list(text({ about: 'Program and arguments; no shell.', max: 4096 }), {
            about: 'Program and arguments; no shell.',
            min: 1,
            max: 100,
          }),
          timeoutSeconds: defaulted(
            seconds({ about: 'Time after which it has failed.', min: 1, max: DAY }),
            () => 300,
          ),
        },
        { about: 'A command of your own.' },
      ),
    ],
    { error: 'one of metric, no-regression, subgroup, latency, size, command' },
  )
  .meta({ description: 'An offline check. All run and all are reported.' });

const guardrailFields = (standardName: z.ZodType<string>, hardLimit: number | null) => ({
  name: standardName,
  relativeMargin: defaulted(
    number({
      about: "Factor on the champion's share that is still acceptable. The margin is the wider of the two.",
      min: 1,
      max: 1000,
    }),
    () => GUARDRAIL_DEFAULTS.relativeMargin,
  ),
  absoluteMargin: defaulted(
    share({ about: "What may be added to the champion's share.", min: 0, below: 1 }),
    () => GUARDRAIL_DEFAULTS.absoluteMargin,
  ),
  hardLimit: defaulted(
    orNull(
      share({
        about: "Share of the candidate's requests above which it is rolled back at once; null for none.",
        above: 0,
        max: 1,
      }),
    ),
    () => hardLimit,
  ),
});
const guardrailName = { about: 'Name of the guardrail, e.g. in the verdict table.' };
const { slow } = GUARDRAIL_DEFAULTS;

export const guardrail = z
  .discriminatedUnion(
    'kind',
    [
      section(
        {
          kind: kind('errors', 'Bad: the request failed.'),
          ...guardrailFields(
            defaulted(name(guardrailName), () => 'errors'),
            GUARDRAIL_DEFAULTS.hardLimit,
          ),
        },
        { about: 'Share of failed requests.' },
      ),
      section(
        {
          kind: kind(
            'slow',
            "Bad: inside the model's thread longer than the wider of `floorMs` and `factor` times the champion's quantile.",
          ),
          ...guardrailFields(
            defaulted(name(guardrailName), () => 'slow'),
            GUARDRAIL_DEFAULTS.hardLimit,
          ),
          quantile: defaulted(
            share({ about: "Quantile of the champion's latency.", min: 0.5, max: 0.9999 }),
            () => slow.quantile,
          ),
          factor: defaulted(number({ about: 'Times that quantile.', min: 1, max: 1000 }), () => slow.factor),
          floorMs: defaulted(
            number({ about: 'Never slow below this, milliseconds.', above: 0, max: 600_000 }),
            () => slow.floorMs,
          ),
        },
        { about: 'Share of slow requests.' },
      ),
      section(
        {
          kind: kind(
            'share',
            "Bad: an output value of the request's first row meets a condition, or is missing.",
          ),
          ...guardrailFields(name(guardrailName), null),
          output: text({ about: 'Output of the model.' }),
          index: defaulted(whole({ about: "Index into the row's values.", min: 0, max: 99_999 }), () => 0),
          op: oneOf(OPERATORS, { about: 'Comparison; true is bad.' }),
          value: number({ about: 'What the output is compared with.' }),
        },
        { about: 'A share of your own.' },
      ),
    ],
    { error: 'one of errors, slow, share' },
  )
  .meta({
    description: 'A share of bad outcomes that the candidate may not worsen by more than the margin.',
  });

export const step = section(
  {
    weight: share({
      about: "The candidate's share of routing keys. Weights rise strictly; 1 is only possible at the end.",
      above: 0,
      max: 1,
    }),
    minKeys: whole({
      about: 'First-seen routing keys, both arms together, that the step needs.',
      min: 1,
      max: 1e9,
    }),
    minSeconds: seconds({ about: 'Least time in the step.', min: 0, max: 30 * DAY }),
  },
  { about: 'A step of the canary.' },
);

const approver = z
  .preprocess(
    (value) => (typeof value === 'string' ? { name: value } : value),
    section(
      {
        name: person('Name that decisions carry.'),
        roles: defaulted(list(role('A role.'), { about: 'Roles of the person.', max: 20 }), () => []),
      },
      { about: 'Somebody who may decide.' },
    ),
  )
  .meta({
    description: 'Somebody who may decide; a plain name for one without roles.',
    also: { type: 'string', minLength: 1, maxLength: 128 },
  });

export function approvalPoint(
  defaults: { readonly quorum: number; readonly expiresAfterSeconds: number },
  about: string,
) {
  return section(
    {
      quorum: defaulted(
        whole({ about: 'Distinct approvals needed.', min: 1, max: 100 }),
        () => defaults.quorum,
      ),
      approvers: list(approver, {
        about: 'Who may decide; at least as many as the quorum.',
        min: 1,
        max: 100,
      }),
      requiredRoles: defaulted(
        list(role('A role.'), { about: 'Roles of which each must approve at least once.', max: 20 }),
        () => [],
      ),
      expiresAfterSeconds: defaulted(
        seconds({
          about: 'Without a quorum after this time the release is rejected.',
          min: 1,
          max: 90 * DAY,
        }),
        () => defaults.expiresAfterSeconds,
      ),
    },
    { about },
  );
}

export const shadowPlan = section(
  {
    share: share({ about: 'Share of requests that are copied to the candidate.', above: 0, max: 1 }),
    minRequests: whole({ about: 'Compared requests needed.', min: 1, max: 1e9 }),
    agreementFloor: share({ about: 'Least share of requests on which candidate and champion agree.' }),
    tolerance: number({
      about: 'Largest difference of scores that counts as agreement, in units of the score.',
      min: 0,
    }),
    maxSeconds: seconds({
      about: 'Time after which too few compared requests fail the stage.',
      min: 1,
      max: 30 * DAY,
    }),
  },
  { about: 'The candidate gets copies of requests before it gets any of its own; null for none.' },
);
