/** Latency against the objective, from the first window on; and against the version's own windows. */
import type { Objectives } from '../../contracts/manifest.js';
import type { FeatureFinding, MonitoringSettings } from '../../contracts/monitoring.js';
import type { Sketch } from '../../contracts/windows.js';
import { addChunk, scoreChunk, type Moments, gapSpread } from '../drift/prediction.js';
import { countAbove, quantileOf, SKETCH_ERROR } from '../sketch.js';
import { budgetWindows, corrected } from './budget.js';
import { binomialGreater, shareOf } from './exact.js';
import { reachOf, shareInterval, type Interval } from './intervals.js';
import type { Draft, Judged, OpenCause } from './types.js';
import { figure, percent, timeOf } from './words.js';

const QUANTILE = 0.95;
/** Slower than before by this factor matters. */
const SLOWER = 1.5;

export interface LatencyWindow {
  readonly settings: MonitoringSettings;
  readonly objectives: Objectives;
  readonly latency: Sketch | null;
  readonly before: Moments;
  readonly open: readonly OpenCause[];
  readonly from: number;
  readonly to: number;
}

export function judgeLatency(window: LatencyWindow): Judged & { readonly moments: Moments } {
  const { settings, objectives, latency, before, open } = window;
  const rows = latency?.count ?? 0;
  const nothing = { drafts: [], standing: new Map(), moments: before } as const;
  if (latency === null || rows < settings.minRows)
    return { ...nothing, waiting: [`latency: ${rows} of ${settings.minRows} answers`] };
  const slow = { hits: countAbove(latency, objectives.latencyMs), rows };
  const overP = corrected(binomialGreater(slow, objectives.slowShare), 'latency', 2);
  const value = Math.max(quantileOf(latency, QUANTILE) ?? 0, 1e-6);
  const scored = scoreChunk(before, Math.log(value));
  const usual = Math.exp(before.mean);
  const slowerP = scored.state === 'known' && scored.score > 0 ? corrected(scored.p / 2, 'latency', 2) : 1;
  const alpha = 1 / budgetWindows(settings);
  const isSlower = value >= SLOWER * usual && before.count > 0;
  const drafts: Draft[] = [];
  if (overP <= alpha) {
    const told = `${percent(shareOf(slow))} of answers took longer than ${objectives.latencyMs} ms, the objective allows ${percent(objectives.slowShare)}`;
    const effect = shareOf(slow) - objectives.slowShare;
    const interval = overInterval(latency, objectives);
    drafts.push(draftOf(window, told, 'warning', { effect, interval, p: overP, rows }));
  } else if (slowerP <= alpha && isSlower) {
    const told = `95 % of answers took up to ${figure(value)} ms, usual were ${figure(usual)} ms; the objective is met`;
    const interval = slowerInterval(value / usual, before);
    drafts.push(draftOf(window, told, 'info', { effect: value / usual - 1, interval, p: slowerP, rows }));
  }
  const known = open.find(({ kind }) => kind === 'latency');
  const isGone = drafts.length === 0 && shareOf(slow) <= objectives.slowShare && !isSlower;
  // What was odd is not taken for usual.
  const moments = drafts.length === 0 && known === undefined ? addChunk(before, Math.log(value)) : before;
  return {
    drafts,
    standing: new Map(known === undefined ? [] : [[known.cause, isGone ? 'gone' : 'present']]),
    waiting: scored.state === 'known' ? [] : [`latency against its own windows: ${scored.reason}`],
    moments,
  };
}

/** Of the share of slow answers beyond what is allowed. An answer so near to the objective that the sketch cannot tell counts to the far side. */
function overInterval(latency: Sketch, { latencyMs, slowShare }: Objectives): Interval {
  const rows = latency.count;
  const surely = countAbove(latency, latencyMs * (1 + SKETCH_ERROR));
  const perhaps = countAbove(latency, latencyMs * (1 - SKETCH_ERROR));
  const [[least], [, most]] = [shareInterval({ hits: surely, rows }), shareInterval({ hits: perhaps, rows })];
  return [least - slowShare, most - slowShare];
}

/** Of the 95th percentile over the usual, less 1: by the spread of the windows before, in logarithms, which is what the score uses. */
function slowerInterval(ratio: number, before: Moments): Interval {
  const factor = Math.exp(reachOf(gapSpread(before), before.count - 1));
  return [ratio / factor - 1, ratio * factor - 1];
}

function draftOf(
  { from, to }: LatencyWindow,
  summary: string,
  severity: Draft['severity'],
  seen: Pick<FeatureFinding, 'effect' | 'interval' | 'p' | 'rows'>,
): Draft {
  return {
    kind: 'latency',
    cause: 'latency',
    verdict: 'found',
    severity,
    summary,
    features: [{ name: 'latency', what: 'slower', ...seen }],
    rows: seen.rows,
    onset: { estimate: timeOf(from), from: timeOf(from), to: timeOf(to) },
    about: ['latency'],
    from,
    to,
  };
}
