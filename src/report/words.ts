import type { Figure, Share, Spread } from '../contracts/report.js';

const UNITS: readonly (readonly [seconds: number, name: string])[] = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
];

/** Two digits and a unit that people think in: `3.5 h`. */
export function duration(seconds: number): string {
  const [size, name] = UNITS.find(([unit]) => seconds >= 1.5 * unit) ?? [1, 's'];
  return `${Number((seconds / size).toPrecision(seconds / size < 100 ? 2 : 3))} ${name}`;
}

/** Never rounded up to 100 %: of 99.99 % is said what is missing. */
export function percentage(share: number): string {
  const missing = 1 - share;
  const digits = missing > 0 && missing < 0.01 ? Math.min(6, 1 - Math.floor(Math.log10(missing * 100))) : 1;
  return `${Number((share * 100).toFixed(digits))} %`;
}

/** What stands for a figure that there is none of. */
const none = (why: string | null): string => `none: ${why ?? 'no data'}`;

export const shareInWords = (share: Share): string =>
  share.value === null ? none(share.why) : percentage(share.value);

export const figureInWords = ({ value, why }: Figure, unit: (value: number) => string): string =>
  value === null ? none(why) : unit(value);

export const medianInWords = ({ median, why }: Spread): string =>
  median === null ? none(why) : duration(median);

export const spreadInWords = ({ n, median, p90, why }: Spread): string =>
  median === null || p90 === null
    ? none(why)
    : `median ${duration(median)}, 90th percentile ${duration(p90)} (n = ${n})`;

/** `2026-01-31T12:00:00.000Z` as `2026-01-31 12:00`. */
export const minute = (iso: string): string => iso.slice(0, 16).replace('T', ' ');
export const date = (iso: string): string => iso.slice(0, 10);
