import { isDeepStrictEqual } from 'node:util';
import type { LedgerEvent } from '../../../src/contracts/ledger.js';
import { type Any, keepBooks, loose } from './slow-books.js';
import { inOrder } from './slow-report.js';

/** When the validation of what serves is due, epoch milliseconds, and what made it so. */
export interface SlowDue {
  at: number;
  by: 'time' | 'change';
}

/** Of each model with a manifest: walks through its events and does what the documentation says. */
export function slowDues(events: readonly LedgerEvent[], until: number): Map<string, SlowDue | null> {
  const past = inOrder(events).filter(({ at }) => Date.parse(at) < until);
  const { models } = keepBooks(past);
  const dues = new Map<string, SlowDue | null>();
  for (const [model, { team, serving }] of models) {
    const serves = serving.at(-1)?.[1] ?? '-';
    const own = past.filter(({ stream }) => stream === model);
    if (team !== null) dues.set(model, serves === '-' || serves === '!' ? null : dueOf(serves, own));
  }
  return dues;
}

function dueOf(version: string, events: readonly LedgerEvent[]): SlowDue | null {
  const reminders = new Set<unknown>();
  for (const { action, subject, evidence } of events)
    if (action === 'incident.opened' && evidence['origin'] === 'revalidation')
      reminders.add(subject['incident']);
  let manifest: Any | null = null;
  let validated: number | null = null;
  let changed: number | null = null;
  for (const { action, subject, evidence, actor, at } of events) {
    const time = Date.parse(at);
    if (action === 'release.promoted' && subject['version'] === version && validated === null)
      [validated, changed] = [time, null];
    if (action === 'incident.resolved' && actor.kind === 'person' && reminders.has(subject['incident']))
      if (validated !== null) [validated, changed] = [time, null];
    if (action !== 'manifest.applied') continue;
    const next = loose(evidence)['manifest'] as Any;
    // What happens in the moment of a promotion or of a person's word was known to it.
    if (manifest !== null && isAnother(manifest, next) && validated !== null && time > validated)
      changed ??= time;
    manifest = next;
  }
  const seconds: unknown = manifest?.['monitoring']?.revalidateSeconds;
  if (typeof seconds !== 'number' || validated === null) return null;
  const end = validated + seconds * 1000;
  return changed !== null && changed < end ? { at: changed, by: 'change' } : { at: end, by: 'time' };
}

/** Whether a validation by the one manifest says nothing of the other. */
function isAnother(before: Any, after: Any): boolean {
  const tiers = ['experimental', 'low', 'medium', 'high'];
  return (
    tiers.indexOf(after['riskTier']) > tiers.indexOf(before['riskTier']) ||
    !isDeepStrictEqual(essence(before), essence(after))
  );
}

const essence = ({ purpose, task, schema, prediction, validation }: Any): unknown => ({
  purpose,
  task,
  inputs: new Set(schema?.inputs.map(({ name, width, max }: Any) => ({ name, width, max }))),
  outputs: new Set(schema?.outputs),
  prediction,
  data: validation?.dataDigest,
  target: validation?.target,
  gates: new Set(validation?.gates),
});
