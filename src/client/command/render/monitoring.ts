import type { Finding, HealthRecord, Severity } from '../../../contracts/monitoring.js';
import type { MonitoredView } from '../../monitoring.js';
import { fields, type Style, table, time } from '../style.js';

const colored = (severity: Severity, style: Style): string => {
  if (severity === 'critical') return style.red(severity);
  return severity === 'warning' ? style.yellow(severity) : severity;
};

const stateIn = (state: HealthRecord['state'], style: Style): string => {
  if (state === 'healthy') return style.green(state);
  return state === 'alarm' ? style.red(state) : style.yellow(state);
};

export function monitoredPage({ model, health, findings }: MonitoredView, style: Style): string {
  const found =
    findings.length === 0
      ? 'No findings'
      : table(
          style,
          ['detected', 'severity', 'cause', 'what', 'onset'],
          findings.map((finding) => [
            time(finding.detectedAt),
            finding.verdict === 'found' ? colored(finding.severity, style) : 'immaterial',
            finding.cause,
            finding.summary,
            onset(finding),
          ]),
        );
  const evidence = findings.flatMap(seenBy);
  const list = evidence.length === 0 ? found : `${found}\n\n${evidence.join('\n')}`;
  return health === null ? list : `${healthPage(model, health, style)}\n\n${list}`;
}

const onset = ({ onset }: Finding): string => (onset === null ? '–' : time(onset.estimate));

/** One line. */
const seenBy = ({ cause, detectedAt, detectors }: Finding): readonly string[] =>
  detectors === undefined
    ? []
    : [
        `${cause} of ${time(detectedAt)}: more errors seen by ${detectors.map(({ name, since }) => `${name} since ${time(since)}`).join(', ')}`,
      ];

function healthPage(model: string, health: HealthRecord, style: Style): string {
  const { state, version, evaluatedTo, seenAt, open, waitingFor } = health;
  return fields(style, [
    ['model', style.bold(model)],
    ['monitors say', stateIn(state, style)],
    ['of version', version?.version ?? 'none'],
    ['evaluated to', evaluatedTo === null ? 'no window yet' : time(evaluatedTo)],
    ['monitor seen', time(seenAt)],
    ...listed(
      'open',
      open.map(
        ({ cause, since, clear }) => `${cause}, first found in the window to ${time(since)}${cleared(clear)}`,
      ),
    ),
    ...listed('waits for', waitingFor),
  ]);
}

/** The label beside the first entry alone. */
const listed = (label: string, texts: readonly string[]): (readonly [string, string])[] =>
  texts.length === 0 ? [[label, 'nothing']] : texts.map((text, i) => [i === 0 ? label : '', text] as const);

const cleared = (windows: number): string => (windows === 0 ? '' : `, gone for ${windows} windows`);
