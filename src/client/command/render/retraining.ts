import type { RetrainingNext, RetrainingView } from '../../../contracts/views.js';
import type { RetrainingBeat, RetrainingSight } from '../../retrainings.js';
import { count, time } from '../style.js';

type Facts = readonly (readonly [label: string, value: string])[];

/**
 * What a model says of its retrainings; nothing where its manifest has none and none was ever asked for.
 * @param sight of the one that runs; null: none does, or it did not answer
 */
export function retrainingFacts(
  view: RetrainingView | null | undefined,
  sight: RetrainingSight | null = null,
): Facts {
  if (view == null) return [];
  const { running, last, heldBack, next = [] } = view;
  return [
    [
      'retraining',
      running === null
        ? 'none runs'
        : `number ${running.retraining} runs, by ${running.trigger}, since ${time(running.startedAt)}`,
    ],
    ...(running === null || sight === null ? [] : standing(sight)),
    ...(last === null ? [] : [['retrained', ended(last)] as const]),
    ...(heldBack === null
      ? []
      : [
          [
            'held back',
            `retraining by ${heldBack.trigger} at ${time(heldBack.at)}: ${heldBack.reason}`,
          ] as const,
        ]),
    ...next.map((one) => ['trains next', inWords(one)] as const),
  ];
}

function standing({ waitingFor, parked, facts, beat }: RetrainingSight): Facts {
  const far = beat === null ? '' : howFar(beat);
  return [
    ['waits for', far === '' ? waitingFor : `${waitingFor}: ${far}`],
    ...(parked === null
      ? []
      : [['parked', `${parked.what}: ${parked.why}; tried again at ${time(parked.retryAt)}`] as const]),
    ...facts.map((fact) => ['', fact] as const),
  ];
}

function howFar({
  stage,
  rows,
  progress,
  message,
  attempt,
  seconds,
  memoryMb,
  done,
  total,
}: RetrainingBeat): string {
  const known = [
    stage,
    rows === undefined ? null : `${count(rows)} rows`,
    done === undefined || total === undefined ? null : `${count(done)} of ${count(total)}`,
    progress == null ? null : `${Math.round(100 * progress)} %`,
    message,
    seconds === undefined ? null : `for ${Math.round(seconds)} s`,
    memoryMb === undefined ? null : `${Math.round(memoryMb)} MiB`,
    attempt === undefined || attempt === 1 ? null : `attempt ${attempt}`,
  ];
  return known.filter((part) => part != null && part !== '').join(', ');
}

function ended({
  retraining,
  outcome,
  reason,
  release,
  endedAt,
}: NonNullable<RetrainingView['last']>): string {
  const how = release === null ? outcome : `${outcome} as release ${release}`;
  return `number ${retraining} ended ${how} at ${time(endedAt)}${reason === null ? '' : `: ${reason}`}`;
}

function inWords(next: RetrainingNext): string {
  switch (next.by) {
    case 'schedule':
      return next.at === null
        ? 'by the schedule never: no moment of it is to come'
        : `by the schedule at ${time(next.at)}`;
    case 'age':
      return `by the age of the champion at ${time(next.at)}`;
    case 'labels': {
      const { wanted, counted, at } = next;
      const seen = counted === null ? '' : `; there were ${count(counted)}`;
      return `by ${count(wanted)} new labels${seen}, counted next at ${time(at)}`;
    }
    case 'finding': {
      const { finding, at, others = 0 } = next;
      const behind = others === 0 ? '' : `; ${count(others)} more wait${others === 1 ? 's' : ''} behind it`;
      return `by finding ${finding}, which was held back and is looked at again at ${time(at)}${behind}`;
    }
  }
}
