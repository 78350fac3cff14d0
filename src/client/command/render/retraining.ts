import type { RetrainingNext, RetrainingView } from '../../../contracts/views.js';
import { count, time } from '../style.js';

type Facts = readonly (readonly [label: string, value: string])[];

/** What a model says of its retrainings; nothing where its manifest has none and none was ever asked for. */
export function retrainingFacts(view: RetrainingView | null | undefined): Facts {
  if (view == null) return [];
  const { running, last, heldBack, next = [] } = view;
  return [
    [
      'retraining',
      running === null
        ? 'none runs'
        : `number ${running.retraining} runs, by ${running.trigger}, since ${time(running.startedAt)}`,
    ],
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
    case 'finding':
      return `by finding ${next.finding}, which was held back and is looked at again at ${time(next.at)}`;
  }
}
