/** Figures and names in sentences that people read. */

/** At most so many features are named in a sentence, and listed in a finding. */
const NAMED_MOST = 5;
export const LISTED_MOST = 20;

export const percent = (share: number): string => {
  const value = 100 * share;
  const digits = Math.abs(value) >= 10 || value === 0 ? 0 : Math.abs(value) >= 1 ? 1 : 2;
  return `${value.toFixed(digits)} %`;
};

/** Three digits. */
export const figure = (value: number): string => String(Number(value.toPrecision(3)));

export function namesOf(names: readonly string[]): string {
  const told = names.slice(0, NAMED_MOST).join(', ');
  return names.length > NAMED_MOST ? `${told} and ${names.length - NAMED_MOST} more` : told;
}

export const timeOf = (ms: number): string => new Date(ms).toISOString();
