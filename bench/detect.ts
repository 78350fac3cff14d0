/** What is noticed, what is missed and what is cried for nothing: Tenure's monitors beside Evidently, NannyML and river. */
import { Adwin } from '../src/statistics/streams/adwin.js';
import { Ddm } from '../src/statistics/streams/ddm.js';
import type { StreamDetector } from '../src/statistics/streams/detector.js';
import { HddmA, HddmW } from '../src/statistics/streams/hddm.js';
import { PageHinkley } from '../src/statistics/streams/page-hinkley.js';
import { type Bench, type BenchContext, NotMeasurable } from './bench.js';
import { errorStreams, make } from './detect/made.js';
import { ours, type Said } from './detect/ours.js';
import { python } from './detect/python.js';
import { type Figure, figure } from './figure.js';

const PAIRS = 200;
const RUNS = 3;

const percent = (part: number, whole: number): number => Math.round((1_000 * part) / whole) / 10;

async function ask(context: BenchContext, tool: string): Promise<Said | null> {
  try {
    context.say(`${tool}: the same rows, with its defaults`);
    return await python<Said>(context, { program: tool, requirements: tool }, [context.folder]);
  } catch (error) {
    if (!(error instanceof NotMeasurable)) throw error;
    context.say(`${tool}: ${error.message}`);
    return null;
  }
}

const drift: Bench = {
  name: 'detect-drift',
  what: 'share of categorical windows that alarm for nothing, runs of 20 features and 90 windows that ever do, and shifts of .3 sd in 3 features that are caught, beside Evidently and NannyML on the same rows',
  figures: [
    'detect-categorical-evidently',
    'detect-categorical-nannyml',
    'detect-false-evidently',
    'detect-false-nannyml',
    'detect-caught-evidently',
    'detect-caught-nannyml',
  ],
  async run(context) {
    const made = await make(context.folder, { pairs: PAIRS, runs: RUNS });
    const own = ours(made);
    const figures: Figure[] = [];
    for (const tool of ['evidently', 'nannyml']) {
      const said = await ask(context, tool);
      const line = (what: string, count: keyof Omit<Said, 'small'>, of: number): Figure =>
        figure({
          name: `detect-${what}-${tool}`,
          unit: '%',
          ours: percent(own[count], of),
          ...(said === null ? {} : { theirs: percent(said[count], of) }),
          ...(what === 'false' && said !== null
            ? {
                note: `A shift of .08 sd at 50,000 rows: ours says ${own.small}, ${tool} ${said.small ? 'alarms' : 'says nothing'}`,
              }
            : {}),
        });
      figures.push(
        line('categorical', 'categorical', PAIRS),
        line('false', 'ever', RUNS),
        line('caught', 'caught', RUNS),
      );
    }
    return [0, 3, 1, 4, 2, 5].map((i) => figures[i]!);
  },
};

const DETECTORS: Readonly<Record<string, () => StreamDetector>> = {
  adwin: () => new Adwin(),
  'page-hinkley': () => new PageHinkley(),
  ddm: () => new Ddm(),
  'hddm-a': () => new HddmA(),
  'hddm-w': () => new HddmW(),
};
const AFTER = [0.25, 0.3, 0.4] as const;
const STREAMS = 200;

/** Of streams that change at 1,000. */
function summary(changes: readonly (readonly number[])[]): {
  readonly share: number;
  readonly median: number;
  readonly falseAlarms: number;
} {
  const delays = changes
    .flatMap((found) => found.find((index) => index >= 1_000) ?? [])
    .map((index) => index - 1_000)
    .sort((a, b) => a - b);
  const middle = delays.length / 2;
  return {
    share: percent(delays.length, changes.length),
    median: ((delays[Math.ceil(middle) - 1] ?? Number.NaN) + (delays[Math.floor(middle)] ?? Number.NaN)) / 2,
    falseAlarms: changes.flat().filter((index) => index < 1_000).length / changes.length,
  };
}

function changesIn(open: () => StreamDetector, stream: string): number[] {
  const detector = open();
  return Array.from(stream, Number).flatMap((value, i) => (detector.update(value) === 'change' ? [i] : []));
}

const streams: Bench = {
  name: 'detect-streams',
  what: `share of ${STREAMS} streams of errors in which a change from 20 % to 25, 30 and 40 % is found within 1,000, beside river; with the median delay`,
  figures: Object.keys(DETECTORS).flatMap((name) =>
    AFTER.map((after) => `detect-streams-${name}-${Math.round(100 * after)}`),
  ),
  async run(context) {
    const made = AFTER.map((after) => errorStreams(after, STREAMS));
    const river = await python<Record<string, number[][]>>(
      context,
      { program: 'river', requirements: 'evidently' },
      [],
      made.flat().join('\n'),
    );
    return Object.entries(DETECTORS).flatMap(([name, detector]) =>
      AFTER.map((after, i) => {
        const own = summary(made[i]!.map((stream) => changesIn(detector, stream)));
        const theirs = summary(river[name]!.slice(i * STREAMS, (i + 1) * STREAMS));
        return figure({
          name: `detect-streams-${name}-${Math.round(100 * after)}`,
          unit: '%',
          ours: own.share,
          theirs: theirs.share,
          note: `median delay ${own.median}, river's ${theirs.median}; false alarms in 1,000: ${own.falseAlarms}, river's ${theirs.falseAlarms}`,
        });
      }),
    );
  },
};

export const benches: readonly Bench[] = [drift, streams];
