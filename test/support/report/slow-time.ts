/** By definition: the value that has a share p of the others below it, and between two of them a straight line. */
export function quantileByDefinition(values: readonly number[], p: number): number | null {
  if (values.length === 0) return null;
  const sorted = Array.from(values);
  for (let i = 0; i < sorted.length; i += 1)
    for (let j = i + 1; j < sorted.length; j += 1)
      if ((sorted[j] ?? 0) < (sorted[i] ?? 0)) [sorted[i], sorted[j]] = [sorted[j] ?? 0, sorted[i] ?? 0];
  if (sorted.length === 1) return sorted[0] ?? null;
  for (let i = 0; i + 1 < sorted.length; i += 1) {
    const [low, high] = [i / (sorted.length - 1), (i + 1) / (sorted.length - 1)];
    if (p > high) continue;
    const weight = (p - low) / (high - low);
    return (sorted[i] ?? 0) * (1 - weight) + (sorted[i + 1] ?? 0) * weight;
  }
  return sorted.at(-1) ?? null;
}

type Stretch = [from: number, to: number];

/** Who serves: from each change to the next one. */
export function down(
  serving: readonly (readonly [number, string])[],
  until: number,
): { up: Stretch[]; down: Stretch[]; serves: boolean } {
  const up: Stretch[] = [];
  const none: Stretch[] = [];
  let inService = false;
  let serves = false;
  serving.forEach(([at, what], i) => {
    serves = what !== '-' && what !== '!';
    if (serves) inService = true;
    if (what === '!') inService = false;
    const end = serving[i + 1]?.[0] ?? until;
    if (!inService) return;
    up.push([at, end]);
    if (!serves) none.push([at, end]);
  });
  return { up, down: none, serves };
}

/** Every stretch between two neighbouring edges is looked at by itself: is it in service, and is it in any outage? */
export function uncovered(
  service: readonly Stretch[],
  outages: readonly Stretch[],
): { whole: number; free: number } {
  const edges = [...new Set([...service, ...outages].flat())];
  edges.sort((a, b) => a - b);
  let [whole, free] = [0, 0];
  for (let i = 0; i + 1 < edges.length; i += 1) {
    const [from = 0, to = 0] = [edges[i], edges[i + 1]];
    const covers = ([a, b]: Stretch): boolean => a <= from && to <= b;
    if (!service.some(covers)) continue;
    whole += to - from;
    if (!outages.some(covers)) free += to - from;
  }
  return { whole, free };
}
