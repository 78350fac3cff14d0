import { z } from 'zod';

const text = (max: number) => z.string().min(1).max(max);
const contact = z.strictObject({
  name: text(200),
  role: text(100),
  email: z.email({ error: 'must be an email address' }).optional(),
});
const step = z.strictObject({
  afterSeconds: z.number().int().min(1).max(31_536_000),
  roles: z.array(text(100)).max(50).default([]),
});

/**
 * Who is told of incidents that belong to no model, as a monitor that has fallen silent: in a manifest's words, times in seconds.
 */
export const fleetSection = z
  .strictObject({
    owner: text(200).default('operators'),
    contacts: z.array(contact).max(50).default([]),
    escalation: z
      .array(step)
      .max(10)
      .default([{ afterSeconds: 900, roles: [] }]),
  })
  .superRefine(({ contacts, escalation }, context) => {
    const roles = new Set(contacts.map(({ role }) => role));
    for (const [i, { afterSeconds, roles: meant }] of escalation.entries()) {
      const path = ['escalation', i];
      const before = escalation[i - 1];
      if (before !== undefined && afterSeconds <= before.afterSeconds)
        context.addIssue({
          code: 'custom',
          path: [...path, 'afterSeconds'],
          message: `is ${afterSeconds}; allowed: more than the step before, ${before.afterSeconds}`,
        });
      for (const role of meant)
        if (!roles.has(role))
          context.addIssue({
            code: 'custom',
            path: [...path, 'roles'],
            message:
              roles.size === 0
                ? `names ${role}, and no contact has a role: add one to contacts`
                : `names ${role}; allowed: a role of the contacts, ${[...roles].join(', ')}`,
          });
    }
  });

/** As it is used: what is left out has its default. */
export function fleetOf(section: z.infer<typeof fleetSection>) {
  const { owner, contacts, escalation } = section;
  return {
    owner,
    contacts: contacts.map(({ email, ...rest }) => ({ ...rest, ...(email === undefined ? {} : { email }) })),
    // Whom an authority wants to hear from of a model, its manifest says.
    settings: { clearWindows: 1, escalation, reportSeconds: null },
  };
}

/** Where no file says anything. */
export const DEFAULT_FLEET = fleetOf(fleetSection.parse({}));
