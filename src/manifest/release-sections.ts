import * as z from 'zod';
import {
  defaulted,
  kind,
  list,
  name,
  number,
  oneOf,
  orNull,
  person,
  role,
  section,
  seconds,
  share,
  text,
  whole,
} from './fields.js';
import { FREEZE_DAYS } from '../contracts/manifest.js';
import { GUARDRAIL_DEFAULTS } from './tiers.js';

const DAY = 86_400;
const OPERATORS = ['<', '<=', '>', '>=', '==', '!='] as const;

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

const CLOCK = /^([01]\d|2[0-3]):[0-5]\d$/;

/** Whether the process knows a time zone of this name. */
function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

const zoneName = text({
  about: 'Time zone of the clocks, an IANA name.',
  max: 64,
  allowed: 'an IANA name such as Europe/Paris or UTC',
});

export const timeZone = zoneName
  .refine(isTimeZone, { error: 'an IANA name such as Europe/Paris or UTC' })
  .meta({ ...zoneName.meta() });

export const freezeWindow = section(
  {
    days: defaulted(
      list(oneOf(FREEZE_DAYS, { about: 'A day.' }), { about: 'Days on which it begins.', min: 1, max: 7 }),
      () => [...FREEZE_DAYS],
    ),
    from: text({
      about: 'It begins at this time of the clock.',
      max: 5,
      pattern: CLOCK,
      allowed: 'HH:MM in quotes, "00:00" to "23:59"',
    }),
    to: text({
      about: 'It ends at this time; on the next day when that is not later than `from`.',
      max: 5,
      pattern: new RegExp(`${CLOCK.source}|^24:00$`),
      allowed: 'HH:MM in quotes, "00:00" to "24:00"',
    }),
    timeZone,
    reason: text({ about: 'Shown where a release waits for its end.', max: 500 }),
  },
  { about: 'A window of the week in which nothing is promoted.' },
);
