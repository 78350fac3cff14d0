import type { HistoryEntry, VerifiedLedger } from '../../audit.js';
import type { GatewayRow } from '../../gateways.js';
import type { RecomputedVerdicts } from '../../verdicts.js';
import { count, percent, type Style, table, time } from '../style.js';

export function gatewayTable(rows: readonly GatewayRow[], style: Style): string {
  if (rows.length === 0) return 'No gateways have registered: start one with `tenure up`';
  const gateways = table(
    style,
    ['gateway', 'status', 'address', 'last heard of', 'started'],
    rows.map(({ gateway, status, url, silentSeconds, startedAt }) => [
      gateway,
      status === 'serving'
        ? style.green(status)
        : status === 'silent'
          ? style.red(status)
          : style.dim(status),
      url,
      `${silentSeconds.toFixed(1)} s ago`,
      time(startedAt),
    ]),
  );
  const models = rows.flatMap(({ gateway, models: served }) =>
    served.map((row) => [
      row.model,
      gateway,
      row.phase ?? '–',
      row.champion ?? 'nothing',
      row.candidate === null ? '–' : `${row.candidate} ${percent(row.weight ?? 0)}`,
      generations(row.observed, row.wanted, style),
      problems(row, style),
    ]),
  );
  if (models.length === 0) return gateways;
  const head = ['model', 'gateway', 'phase', 'champion', 'candidate', 'generation', ''];
  return `${gateways}\n\n${table(style, head, models)}`;
}

function generations(observed: number | null, wanted: number | null, style: Style): string {
  if (observed === wanted) return String(wanted ?? '–');
  return style.yellow(`${observed ?? 'none'}, wanted ${wanted ?? 'none'}`);
}

function problems({ missing, failed, trips }: GatewayRow['models'][number], style: Style): string {
  return [
    ...failed.map(({ digest, reason }) => style.red(`${digest.slice(0, 12)} cannot be loaded: ${reason}`)),
    ...trips.map(({ guardrail, bad, requests }) => style.red(`tripped: ${guardrail} ${bad} of ${requests}`)),
    ...(missing.length === 0 ? [] : [style.yellow(`loading: ${missing.join(', ')}`)]),
  ].join('; ');
}

/** @param details also what belongs to the record, not to the story */
export function story(entries: readonly HistoryEntry[], style: Style, details: boolean): string {
  const shown = entries.filter((entry) => details || !entry.detail);
  const lines = shown.map(
    ({ sequence, at, sentence }) =>
      `${style.dim(`${String(sequence).padStart(4)}  ${time(at)}`)}  ${sentence}`,
  );
  const hidden = entries.length - shown.length;
  const note = hidden === 0 ? [] : [style.dim(`${hidden} more event(s) of detail: --details`)];
  return [...lines, ...note].join('\n');
}

export function verified(result: VerifiedLedger, style: Style): string {
  const { ok, streams, events, headsMatched, headsUnknown, bad, badStreams, notShown } = result;
  const held =
    headsUnknown.length === 0
      ? []
      : headsUnknown.map(({ stream, why }) => style.yellow(`Head of ${stream} not compared: ${why}`));
  const found = bad.map(
    ({ stream, sequence, kind, id, detail }) =>
      `${style.red(`${stream}, event ${sequence}: ${kind}`)}${id === null ? '' : ` (${id})`}: ${detail}`,
  );
  const sum = `${count(events)} event(s) in ${count(streams)} stream(s), ${count(headsMatched)} head(s) compared`;
  return [
    ok
      ? `${style.green('ok')}: ${sum}`
      : `${style.red('not ok')}: ${count(badStreams)} stream(s) with something bad; ${sum}`,
    ...found,
    ...held,
    '',
    style.dim('Not shown by this:'),
    ...notShown.map((text) => style.dim(`  - ${text}`)),
  ].join('\n');
}

export function recomputed(canaries: readonly RecomputedVerdicts[], style: Style): string {
  if (canaries.length === 0) return 'No canary of this model is on the record';
  const words: Readonly<Record<RecomputedVerdicts['result'], string>> = {
    same: style.green('all verdicts follow from their inputs'),
    different: style.red('a verdict does not follow from its inputs'),
    'other-code': style.yellow('decided by another version of the code: use the build that decided'),
  };
  return table(
    style,
    ['release', 'looks', 'result', 'first difference', 'decided by'],
    canaries.map(({ release, looks, result, firstDifference, judges }) => [
      String(release),
      count(looks),
      words[result],
      firstDifference === null ? '–' : `event ${firstDifference}`,
      judges.join(', '),
    ]),
  );
}
