import type { Contact, InputField } from '../contracts/manifest.js';
import type { MonitoringSettings } from '../contracts/monitoring.js';
import { POLICY_GROUPS } from '../contracts/monitoring.js';
import { checkUnique } from './parts.js';
import type { Complain } from './parts.js';

export interface MonitoringContext {
  /** Undefined: the section is broken. */
  readonly monitoring?: MonitoringSettings | null | undefined;
  readonly inputs: readonly (InputField | undefined)[];
  readonly contacts: readonly (Contact | undefined)[];
}

/** Monitoring that cannot be meant. */
export function checkMonitoring(
  { monitoring, inputs, contacts }: MonitoringContext,
  complain: Complain,
): void {
  if (monitoring === undefined || monitoring === null) return;
  const known = new Set(inputs.flatMap((input) => (input === undefined ? [] : [input.name])));
  // A broken input may be the one that is meant.
  if (!inputs.includes(undefined)) {
    for (const [i, name] of monitoring.ignore.entries()) {
      if (!known.has(name))
        complain(
          ['monitoring', 'ignore', i],
          name,
          `allowed: one of schema.inputs, ${[...known].join(', ')}`,
        );
    }
  }
  checkUnique(monitoring.ignore, (i, name) =>
    complain(['monitoring', 'ignore', i], name, 'it is there already'),
  );
  for (const group of POLICY_GROUPS) {
    const actions = monitoring.policy[group];
    checkUnique(actions, (i, action) =>
      complain(['monitoring', 'policy', group, i], action, 'it is there already'),
    );
    if (actions.includes('fallback') && monitoring.fallbackVersion === null)
      complain(
        ['monitoring', 'policy', group],
        actions,
        'fallback needs monitoring.fallbackVersion, the version to put in production',
      );
    if (actions.includes('hold') && !actions.includes('notify'))
      complain(['monitoring', 'policy', group], actions, 'hold lasts as long as the incident: add notify');
  }
  checkEscalation(monitoring, contacts, complain);
}

function checkEscalation(
  { incidents: { escalation } }: MonitoringSettings,
  contacts: MonitoringContext['contacts'],
  complain: Complain,
): void {
  const roles = [...new Set(contacts.flatMap((contact) => (contact === undefined ? [] : [contact.role])))];
  for (const [i, step] of escalation.entries()) {
    const path = ['monitoring', 'incidents', 'escalation', i] as const;
    const before = escalation[i - 1];
    if (before !== undefined && step.afterSeconds <= before.afterSeconds)
      complain(
        [...path, 'afterSeconds'],
        step.afterSeconds,
        `needed: above that of the step before, ${before.afterSeconds}`,
      );
    if (contacts.includes(undefined)) continue;
    for (const [k, role] of step.roles.entries()) {
      if (!roles.includes(role))
        complain(
          [...path, 'roles', k],
          role,
          roles.length === 0
            ? 'no contact has a role: add one to contacts'
            : `allowed: a role of the contacts, ${roles.join(', ')}`,
        );
    }
  }
}
