import { z } from 'zod';
import { escalationProblems } from '../../contracts/escalation.js';

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
    for (const { path, value, rule } of escalationProblems(escalation, contacts))
      context.addIssue({ code: 'custom', path: ['escalation', ...path], message: `is ${value}; ${rule}` });
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
