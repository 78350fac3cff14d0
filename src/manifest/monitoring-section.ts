import { MONITOR_ACTIONS, POLICY_GROUPS, type PolicyGroup } from '../contracts/monitoring.js';
import {
  defaulted,
  list,
  number,
  oneOf,
  optional,
  orNull,
  role,
  section,
  seconds,
  share,
  text,
  whole,
} from './fields.js';
import type { TierDefaults } from './tiers.js';

const HOUR = 3600;
const DAY = 86_400;
const YEAR = 365 * DAY;

const ABOUT_POLICY: Readonly<Record<PolicyGroup, string>> = {
  drift: 'Inputs or scores changed, or differ from the reference.',
  performance: 'The estimated or measured metric fell.',
  quality: 'Missing, unseen, mistyped or out-of-range values.',
  traffic: 'Volume or latency changed.',
  availability: 'The service objective burns too fast.',
};

function policy(defaults: TierDefaults['monitoring']['policy']) {
  const actions = (group: PolicyGroup) =>
    defaulted(
      list(oneOf(MONITOR_ACTIONS, { about: 'An action.' }), {
        about: `${ABOUT_POLICY[group]} Empty: it is only recorded.`,
        max: MONITOR_ACTIONS.length,
      }),
      () => [...defaults[group]],
    );
  const shape = Object.fromEntries(POLICY_GROUPS.map((group) => [group, actions(group)])) as Record<
    PolicyGroup,
    ReturnType<typeof actions>
  >;
  return optional(
    section(shape, {
      about:
        '`notify` opens an incident, `hold` holds promotions back while it is open, `roll-back` acts on a change soon after a promotion and `retrain` on any other, `fallback` puts the fallback version in production.',
    }),
  );
}

function incidents(defaults: TierDefaults['monitoring']) {
  return optional(
    section(
      {
        clearWindows: defaulted(
          whole({ about: 'Windows in a row in which the cause must be gone.', min: 1, max: 1000 }),
          () => 3,
        ),
        escalation: defaulted(
          list(
            section(
              {
                afterSeconds: seconds({
                  about: 'Time since it was opened without anybody acknowledging it.',
                  min: 1,
                  max: 30 * DAY,
                }),
                roles: defaulted(
                  list(role('A role of the contacts.'), {
                    about: 'Roles of the contacts who are told; none: all contacts.',
                    max: 20,
                  }),
                  () => [],
                ),
              },
              { about: 'A step; times rise.' },
            ),
            { about: 'Who is told of an incident that nobody acknowledges.', max: 10 },
          ),
          () => structuredClone(defaults.escalation),
        ),
        reportSeconds: defaulted(
          orNull(
            seconds({
              about:
                'Critical incidents must be reported, to an authority say, within this time of their detection; null for no such duty.',
              min: HOUR,
              max: 90 * DAY,
            }),
          ),
          () => null,
        ),
      },
      { about: 'How people are told, and when it is over.' },
    ),
  );
}

/** Section `monitoring`. Left out, it is on with the tier's defaults; null turns it off. */
export function monitoring({ monitoring: defaults }: TierDefaults) {
  const monitored = section(
    {
      windowSeconds: defaulted(
        seconds({ about: 'Length of a window, the unit of a test.', min: 5, max: 7 * DAY }),
        () => HOUR,
      ),
      falseFindingSeconds: defaulted(
        seconds({
          about: 'Mean time between false findings, over all features.',
          min: HOUR,
          max: 100 * YEAR,
        }),
        () => 2 * YEAR,
      ),
      minRows: defaulted(
        whole({ about: 'Rows that a window needs; fewer wait for the next.', min: 20, max: 1e9 }),
        () => 50,
      ),
      material: defaulted(
        share({ about: 'Smallest effect that matters, a share of rows.', above: 0, below: 1 }),
        () => 0.05,
      ),
      season: defaulted(
        oneOf(['none', 'day', 'week'], { about: 'Rhythm in which volume is compared.' }),
        () => 'week' as const,
      ),
      ignore: defaulted(
        list(text({ about: 'An input.' }), { about: 'Inputs that are counted but not tested.', max: 10_000 }),
        () => [],
      ),
      performance: optional(
        section(
          {
            metric: defaulted(
              oneOf(['auc', 'accuracy', 'f1'], {
                about: 'What is estimated without labels, and measured with them.',
              }),
              () => 'auc' as const,
            ),
            margin: defaulted(number({ about: 'Smallest loss that matters.', above: 0, max: 1 }), () => 0.02),
          },
          { about: 'Performance of classifiers.' },
        ),
      ),
      samples: optional(
        section(
          {
            share: defaulted(
              share({ about: 'Share of requests whose inputs are kept.', min: 0, max: 1 }),
              () => 0.01,
            ),
            retainSeconds: defaulted(
              seconds({ about: 'How long.', min: HOUR, max: 10 * YEAR }),
              () => 90 * DAY,
            ),
          },
          { about: 'Rows for retraining and inspection, without fields marked `personal`.' },
        ),
      ),
      labelSeconds: defaulted(
        seconds({ about: 'How long after its request a label may come.', min: 1, max: 10 * YEAR }),
        () => 90 * DAY,
      ),
      policy: policy(defaults.policy),
      promotionSeconds: defaulted(
        seconds({
          about: 'A change that began so soon after a promotion is taken for its doing.',
          min: 0,
          max: 90 * DAY,
        }),
        () => DAY,
      ),
      fallbackVersion: defaulted(
        orNull(text({ about: 'Version for the action `fallback`.', max: 200 })),
        () => null,
      ),
      revalidateSeconds: defaulted(
        orNull(
          seconds({
            about: 'The validation is due again after this time; null for never.',
            min: DAY,
            max: 10 * YEAR,
          }),
        ),
        () => defaults.revalidateSeconds,
      ),
      incidents: incidents(defaults),
    },
    { about: 'What is watched in production, and what is done about it; null turns it off.' },
  );
  return monitored
    .nullable()
    .prefault({} as never)
    .meta(monitored.meta() ?? {});
}
