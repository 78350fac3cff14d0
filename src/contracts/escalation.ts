/** From when on an incident that nobody has acknowledged is told to whom else. */
export interface EscalationStep {
  /** Since the incident was opened. */
  readonly afterSeconds: number;
  /** Roles of contacts; none: all of them. */
  readonly roles: readonly string[];
}

export interface EscalationProblem {
  /** Below the escalation: the step's index, its field, and for a role its index. */
  readonly path: readonly (string | number)[];
  readonly value: string | number;
  readonly rule: string;
}

/**
 * Whatever makes an escalation one that cannot be meant: each step comes after the one before, and names roles that somebody has.
 * @param contacts null: they are not known, and roles are not looked at
 */
export function escalationProblems(
  escalation: readonly EscalationStep[],
  contacts: readonly { readonly role: string }[] | null,
): EscalationProblem[] {
  const known = contacts === null ? null : [...new Set(contacts.map(({ role }) => role))];
  return escalation.flatMap(({ afterSeconds, roles }, i) => {
    const before = escalation[i - 1]?.afterSeconds;
    const early =
      before === undefined || afterSeconds > before
        ? []
        : [
            {
              path: [i, 'afterSeconds'],
              value: afterSeconds,
              rule: `needed: above that of the step before, ${before}`,
            },
          ];
    const unknown = roles.flatMap((role, k) =>
      known === null || known.includes(role)
        ? []
        : [{ path: [i, 'roles', k], value: role, rule: allowedRoles(known) }],
    );
    return [...early, ...unknown];
  });
}

const allowedRoles = (known: readonly string[]): string =>
  known.length === 0
    ? 'no contact has a role: add one to contacts'
    : `allowed: a role of the contacts, ${known.join(', ')}`;
