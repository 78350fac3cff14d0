/** Whether a profile or a window that comes from outside is one. Refusals name the feature, the field and the value. */
import { checkCuts } from '../estimation/binned.js';
import { checkCounts, checkRising } from '../estimation/checks.js';
import type { FeatureCounts, FeatureProfile, ReferenceProfile, WindowCounts } from './types.js';

/** @throws RangeError */
export function checkProfile(profile: ReferenceProfile): void {
  if (profile.format !== 1)
    throw new RangeError(`Profile has format ${String(profile.format)}: this release reads format 1`);
  const names = new Set<string>();
  for (const feature of profile.features) {
    if (names.has(feature.name))
      throw new RangeError(`Profile has two features named ${feature.name}: names must differ`);
    names.add(feature.name);
    within(`Feature ${feature.name}`, () => {
      checkFeature(feature, profile.rows);
    });
  }
  const { score } = profile;
  if (score === null) return;
  within('Score', () => {
    checkCuts(score.calibration.cuts, score.calibration.threshold);
    const bins = score.calibration.cuts.length + 1;
    for (const field of ['counts', 'positives', 'negatives'] as const) checkBins(field, score[field], bins);
  });
}

function checkFeature(feature: FeatureProfile, rows: number): void {
  const listed = feature.kind === 'numeric' ? feature.cuts.length + 1 : feature.values.length;
  checkBins('counts', feature.counts, listed);
  const counted = [feature.missing, feature.wrongType];
  if (feature.kind === 'numeric') {
    checkRising('cuts', feature.cuts);
    const { range, cuts } = feature;
    const [first, last] = [cuts[0], cuts.at(-1)];
    if (range !== null && !(range.least <= range.most))
      throw new RangeError(`range goes from ${range.least} to ${range.most}: it must not fall`);
    if (
      first !== undefined &&
      last !== undefined &&
      !(range !== null && range.least < first && last <= range.most)
    )
      throw new RangeError(
        `cuts go from ${first} to ${last}, range from ${range?.least} to ${range?.most}: cuts must lie within`,
      );
  } else {
    const twice = feature.values.find((text, i) => feature.values.indexOf(text) !== i);
    if (twice !== undefined)
      throw new RangeError(`values hold ${JSON.stringify(twice)} twice: values must differ`);
    counted.push(feature.other.rows);
  }
  checkCounts('missing, wrongType or other', counted);
  checkTotal([...counted, ...feature.counts], rows);
}

/**
 * That a window is one of the profile, by its bins; digests are compared when windows are added.
 * @throws RangeError
 */
export function checkWindow(profile: ReferenceProfile, window: WindowCounts): void {
  if (window.features.length !== profile.features.length)
    throw new RangeError(
      `Window has ${window.features.length} features: its profile has ${profile.features.length}`,
    );
  checkCounts('rows', [window.rows]);
  profile.features.forEach((feature, i) => {
    within(`Feature ${feature.name}`, () => {
      checkFeatureCounts(feature, window.features[i] as FeatureCounts, window.rows);
    });
  });
  if ((window.score === null) !== (profile.score === null))
    throw new RangeError(
      `Window has ${window.score === null ? 'no scores' : 'scores'}, unlike its profile: count it in the bins of its own`,
    );
  const { score } = window;
  if (score === null || profile.score === null) return;
  const bins = profile.score.calibration.cuts.length + 1;
  within('Score', () => {
    for (const field of ['counts', 'positives', 'negatives'] as const) checkBins(field, score[field], bins);
    checkCounts('invalid', [score.invalid]);
    checkTotal([score.invalid, ...score.counts], window.rows);
  });
}

function checkFeatureCounts(feature: FeatureProfile, counted: FeatureCounts, rows: number): void {
  if (counted.kind !== feature.kind)
    throw new RangeError(`kind is ${counted.kind}: the profile says ${feature.kind}`);
  checkBins('counts', counted.counts, feature.counts.length);
  const apart =
    counted.kind === 'numeric'
      ? [counted.below, counted.above]
      : [counted.unlisted.rest, ...counted.unlisted.names.map(([, number]) => number)];
  const others = [...apart, counted.missing, counted.wrongType];
  checkCounts('counts apart from the bins', others);
  checkTotal([...others, ...counted.counts], rows);
}

function checkBins(field: string, counts: readonly number[], bins: number): void {
  if (counts.length !== bins)
    throw new RangeError(`${field} has ${counts.length} bins: it must have ${bins}`);
  checkCounts(field, counts);
}

/** Each row is counted in one place. */
function checkTotal(counts: readonly number[], rows: number): void {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total !== rows) throw new RangeError(`counts add up to ${total}: there are ${rows} rows`);
}

/** Puts where it was before what was wrong. */
function within(place: string, check: () => void): void {
  try {
    check();
  } catch (error) {
    if (error instanceof RangeError) throw new RangeError(`${place}: ${error.message}`, { cause: error });
    throw error;
  }
}
