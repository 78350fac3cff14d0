import type { Bench } from './bench.js';
import { benches as canary } from './canary.js';
import { benches as detect } from './detect.js';
import { benches as fleet } from './fleet.js';
import { benches as gateway } from './gateway.js';
import { benches as ledger } from './ledger.js';
import { benches as profile } from './profile.js';
import { benches as release } from './release.js';
import { benches as stack } from './stack.js';
import { benches as windows } from './windows.js';

/** Every bench, group by group, in the order in which they run. */
export const BENCHES: readonly Bench[] = [
  ...gateway,
  ...windows,
  ...ledger,
  ...release,
  ...canary,
  ...detect,
  ...fleet,
  ...profile,
  ...stack,
];

/**
 * Which benches run for the names that were asked for, and which of their figures are printed. A name is that of a figure or of
 * a bench, or the beginning of one; without names all run.
 * @throws Error for a name that fits nothing
 */
export function choose(
  benches: readonly Bench[],
  names: readonly string[],
): readonly { readonly bench: Bench; readonly figures: readonly string[] }[] {
  for (const name of names) {
    if (!benches.some((bench) => namesOf(bench).some((known) => known.startsWith(name)))) {
      throw new Error(
        `--only is ${JSON.stringify(name)}: no figure begins with it; allowed are ${benches.flatMap(({ figures }) => figures).join(', ')}. --list says what they are`,
      );
    }
  }
  return benches.flatMap((bench) => {
    const figures = bench.figures.filter(
      (figure) => names.length === 0 || names.some((name) => isMeant(name, figure, bench, benches)),
    );
    return figures.length === 0 ? [] : [{ bench, figures }];
  });
}

const namesOf = ({ name, figures }: Bench): readonly string[] => [name, ...figures];

/** A whole name means only what bears it, also where others begin with it. */
function isMeant(name: string, figure: string, bench: Bench, benches: readonly Bench[]): boolean {
  if (benches.some(({ figures }) => figures.includes(name))) return figure === name;
  if (benches.some((other) => other.name === name)) return bench.name === name;
  return figure.startsWith(name) || bench.name.startsWith(name);
}
