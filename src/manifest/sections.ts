import * as z from 'zod';
import {
  defaulted,
  flag,
  kind,
  label,
  list,
  name,
  number,
  oneOf,
  person,
  role,
  section,
  seconds,
  share,
  text,
  whole,
} from './fields.js';

const DAY = 86_400;
const DATATYPES = ['BOOL', 'INT64', 'FP32', 'FP64', 'BYTES'] as const;
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
    personal: flag({
      about:
        'Whether the input says something about persons: its profile singles nobody out, and no category of it is stored by name.',
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
