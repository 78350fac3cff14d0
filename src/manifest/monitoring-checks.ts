import { escalationProblems } from '../contracts/escalation.js';
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
  const whole = contacts.filter((contact) => contact !== undefined);
  // A broken contact may be the one that is meant.
  const people = whole.length < contacts.length ? null : whole;
  for (const { path, value, rule } of escalationProblems(monitoring.incidents.escalation, people))
    complain(['monitoring', 'incidents', 'escalation', ...path], value, rule);
}
