import type { TrafficChange } from '../../contracts/activities.js';
import { FailureType } from '../../contracts/failures.js';
import { isDigest } from '../../platform/registry/index.js';
import { refusal } from '../failures.js';

/** Checks what the types cannot, so that nothing is half done. @throws ApplicationFailure `InvalidInput` */
export function checkChange(change: TrafficChange): void {
  const { model, changeId, desired, expectedGeneration } = change;
  if (model === '') refuse('model', model, 'a name');
  if (changeId === '') refuse('changeId', changeId, 'an id');
  if (
    expectedGeneration !== 'any' &&
    !(Number.isSafeInteger(expectedGeneration) && expectedGeneration >= 0)
  ) {
    refuse('expectedGeneration', expectedGeneration, 'a whole number from 0, or `any`');
  }
  const { champion, candidate, holdback, shadow, warm } = desired;
  share('candidate.weight', candidate?.weight);
  share('holdback.share', holdback?.share);
  share('shadow.share', shadow?.share);
  for (const version of [champion, candidate, holdback, shadow, ...warm]) {
    if (version !== null && !isDigest(version.digest))
      refuse('digest', version.digest, '64 lower-case hex digits');
  }
  if (!(desired.leaseSeconds > 0)) refuse('leaseSeconds', desired.leaseSeconds, 'above 0');
}

function share(field: string, value: number | undefined): void {
  if (value !== undefined && !(value >= 0 && value <= 1)) refuse(field, value, 'from 0 to 1');
}

function refuse(field: string, value: unknown, allowed: string): never {
  throw refusal(
    FailureType.InvalidInput,
    `Traffic change: ${field} is ${JSON.stringify(value)}, but must be ${allowed}`,
  );
}
