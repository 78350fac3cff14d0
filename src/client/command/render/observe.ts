import type { LabelFileResult } from '../../labels.js';
import type { ObservedFile } from '../../observe.js';
import type { Style } from '../style.js';

const EVERY_MS = 1_000;

/** Progress of a long file: a line a second at most, and the last one. */
export class Pace {
  readonly #say: (text: string) => void;
  #saidAt = performance.now();

  constructor(say: (text: string) => void) {
    this.#say = say;
  }

  seen(done: number, rows: number, what: string): void {
    const now = performance.now();
    if (now - this.#saidAt < EVERY_MS) return;
    this.#saidAt = now;
    this.#say(`${counted(done)} of ${counted(rows)} ${what}`);
  }
}

const counted = (number: number): string => number.toLocaleString('en-US');

export function labelsSummary(
  { model, rows, accepted, counted: inWindows, repeated, refused }: LabelFileResult,
  style: Style,
): string {
  const lines = [
    `${style.green('joined')}: ${counted(accepted)} of ${counted(rows)} labels to requests of ${model}, ${counted(inWindows)} counted in windows`,
  ];
  if (repeated > 0) lines.push(`${counted(repeated)} were there already`);
  for (const [reason, count] of Object.entries(refused.reasons))
    lines.push(`${style.red('refused')}: ${counted(count)} ${reason}`);
  for (const { fileRow, message } of refused.examples) lines.push(`  row ${fileRow}: ${message}`);
  return lines.join('\n');
}

export function observedSummary(
  { model, version, rows, labels, windows, samples, repeated, seconds }: ObservedFile,
  style: Style,
): string {
  const what = `${counted(rows)} rows of ${model} ${version}, ${counted(labels)} labels, in ${counted(windows)} windows`;
  return repeated
    ? `${style.yellow('nothing to do')}: ${what} were taken before`
    : `${style.green('observed')}: ${what}; ${counted(samples)} kept as samples (${seconds.toFixed(1)} s)`;
}
