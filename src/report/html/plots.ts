import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import type { FleetReport, LeadTime, Severity } from '../../contracts/report.js';
import { html, Markup } from './markup.js';

/** Dark and light enough to be told apart without colour, too. */
const FINE = '#2f6f9f';
const FAILED = '#f0a35e';
const SEVERITY_COLOURS: Readonly<Record<Severity, string>> = {
  critical: '#8c1d2f',
  warning: '#e08b3e',
  info: '#b9c6d2',
};

const DAY_MS = 86_400_000;
/** Of an axis of durations, the largest first. */
const UNITS = [
  { name: 'days', seconds: 86_400 },
  { name: 'hours', seconds: 3_600 },
  { name: 'minutes', seconds: 60 },
  { name: 'seconds', seconds: 1 },
] as const;

type Options = Parameters<typeof Plot.plot>[0];

const SIZE = { width: 1000, height: 220, marginLeft: 50, style: { fontSize: '12px' } } as const;

/** Plots are drawn into a document of their own, here: what comes out is plain SVG. */
function drawn(caption: Markup | string, options: Options): Markup {
  const { document } = parseHTML('<!doctype html><html><body></body></html>') as unknown as {
    document: object;
  };
  const svg = Plot.plot({ ...SIZE, ...options, document: document as never });
  return html`<figure>
    ${new Markup((svg as { outerHTML: string }).outerHTML)}
    <figcaption>${caption}</figcaption>
  </figure> `;
}

const key = (colour: string, name: string): Markup =>
  html`<span class="key" style="background:${colour}"></span>${name}`;

const time = ({ since, until }: FleetReport) => ({
  type: 'utc' as const,
  domain: [new Date(since), new Date(until)],
  label: null,
});

/** A bar over its whole day. */
const overDay = (day: string) => {
  const from = Date.parse(day);
  return { from: new Date(from), to: new Date(from + DAY_MS) };
};

const counts = (label: string) => ({ label, grid: true, tickFormat: 'd', interval: 1 });

/** Whole numbers on the axis, and no bar that touches the top. */
const upTo = (most: number) => ({ domain: [0, Math.max(1, most)], ticks: Math.min(5, Math.max(1, most)) });

export function deploymentPlot(report: FleetReport): Markup {
  const bars = report.byDay.flatMap(({ day, deployments, failed }) => [
    { ...overDay(day), count: deployments - failed, colour: FINE },
    { ...overDay(day), count: failed, colour: FAILED },
  ]);
  const most = Math.max(...report.byDay.map(({ deployments }) => deployments));
  return drawn(html`Deployments a day: ${key(FINE, 'without a failure')}${key(FAILED, 'failed since')}`, {
    x: time(report),
    y: { ...counts('deployments'), ...upTo(most) },
    marks: [
      Plot.rectY(
        bars.filter(({ count }) => count > 0),
        { x1: 'from', x2: 'to', y: 'count', fill: 'colour', insetLeft: 0.5, insetRight: 0.5 },
      ),
      Plot.ruleY([0]),
    ],
  });
}

export function leadTimePlot(report: FleetReport): Markup {
  const { versions, total } = report.leadTime;
  const longest = Math.max(...versions.map(({ seconds }) => seconds), 1);
  const unit = UNITS.find(({ seconds }) => longest >= 2 * seconds) ?? UNITS[3];
  const inUnits = (seconds: number): number => seconds / unit.seconds;
  const dots = versions.map(({ to, seconds, approvalSeconds }: LeadTime) => ({
    to: new Date(to),
    total: inUnits(seconds),
    without: inUnits(seconds - approvalSeconds),
  }));
  const lines = [total.median, total.p90].flatMap((seconds) => (seconds === null ? [] : [inUnits(seconds)]));
  return drawn(
    html`Time from registration to production, by the day of production; the stroke is the wait for approval.
    ${key(FINE, 'total')}${key(FAILED, 'without approval')}; dashed: median, dotted: 90th percentile`,
    {
      x: time(report),
      y: { label: unit.name, grid: true, domain: [0, inUnits(longest)] },
      marks: [
        Plot.ruleX(dots, { x: 'to', y1: 'without', y2: 'total', stroke: '#8c959f' }),
        Plot.dot(dots, { x: 'to', y: 'without', fill: FAILED, r: 3 }),
        Plot.dot(dots, { x: 'to', y: 'total', fill: FINE, r: 3.5 }),
        ...lines.map((line, i) =>
          Plot.ruleY([line], { stroke: FINE, strokeDasharray: i === 0 ? '6 4' : '1.5 4' }),
        ),
        Plot.ruleY([0]),
      ],
    },
  );
}

export function availabilityPlot(report: FleetReport): Markup {
  const days = report.byDay.flatMap(({ day, availability }) =>
    availability === null
      ? []
      : [{ day: new Date(Date.parse(day) + DAY_MS / 2), percent: availability * 100 }],
  );
  const least = Math.min(...days.map(({ percent }) => percent), 99.9);
  return drawn('Share of users’ requests that were answered, by day. Days without requests have no point.', {
    x: time(report),
    y: { label: 'percent', grid: true, domain: [least - (100 - least) * 0.1, 100] },
    marks: [
      Plot.lineY(days, { x: 'day', y: 'percent', stroke: FINE, strokeWidth: 1.5 }),
      Plot.dot(days, { x: 'day', y: 'percent', fill: FINE, r: 3 }),
    ],
  });
}

export function incidentPlot(report: FleetReport): Markup {
  const severities: readonly Severity[] = ['critical', 'warning', 'info'];
  const bars = report.byDay.flatMap(({ day, incidents }) =>
    severities.map((severity) => ({
      ...overDay(day),
      count: incidents[severity],
      colour: SEVERITY_COLOURS[severity],
    })),
  );
  const most = Math.max(
    ...report.byDay.map(({ incidents }) => incidents.info + incidents.warning + incidents.critical),
  );
  return drawn(
    html`Incidents opened a day: ${severities.map((severity) => key(SEVERITY_COLOURS[severity], severity))}`,
    {
      x: time(report),
      y: { ...counts('incidents'), ...upTo(most) },
      marks: [
        Plot.rectY(
          bars.filter(({ count }) => count > 0),
          { x1: 'from', x2: 'to', y: 'count', fill: 'colour', insetLeft: 0.5, insetRight: 0.5 },
        ),
        Plot.ruleY([0]),
      ],
    },
  );
}
