import type { Difference } from '../../../contracts/doctor.js';
import type { Examined, Repaired } from '../../doctor.js';
import { count, type Style, time } from '../style.js';

export const noRound = (): string => 'No round of the Schedule has ended yet';

export function examined({ report, mendable }: Examined, style: Style): string {
  const { differences, more, models, at, gateways, parked, ledgerLagSeconds, alerts } = report;
  const total = differences.length + more;
  const scope = `${count(models)} model(s), ${count(gateways.serving)} gateway(s), ${time(at)}`;
  const beside = [
    ...(gateways.silent.length === 0
      ? []
      : [style.yellow(`Silent gateways: ${gateways.silent.join(', ')}; see \`tenure gateway status\``)]),
    ...(parked === 0 ? [] : [style.yellow(`${count(parked)} act(s) parked`)]),
    ...(ledgerLagSeconds === 0
      ? []
      : [style.yellow(`Events wait to be recorded, the oldest for ${Math.round(ledgerLagSeconds)} s`)]),
    ...(alerts?.problems ?? []).map((problem) => style.yellow(`Alerts wait to be taken: ${problem}`)),
  ];
  if (total === 0) return [`${style.green('ok')}: the parts agree: ${scope}`, ...beside].join('\n');
  const canMend = mendable.length === 0 ? 'none' : count(mendable.length);
  return [
    `${style.red(`${count(total)} difference(s)`)}, ${canMend} of them to be mended by --repair: ${scope}`,
    ...differences.flatMap((difference) => ['', ...lines(difference, style)]),
    ...(more === 0 ? [] : ['', `and ${count(more)} more`]),
    ...(beside.length === 0 ? [] : ['', ...beside]),
  ].join('\n');
}

const lines = ({ code, model, subject, severity, expected, found, advice }: Difference, style: Style) => [
  `${severity === 'critical' ? style.red(code) : style.yellow(code)}  ${model}${subject === '' ? '' : `, ${subject}`}`,
  `  expected  ${expected}`,
  `  found     ${found}`,
  `  next      ${advice}`,
];

export function repaired(result: Repaired, style: Style): string {
  const steps = result.repairs.map(
    ({ key, outcome, what }) =>
      `${outcome === 'done' ? style.green('mended') : style.red('refused')}  ${key}: ${what}`,
  );
  return [...steps, '', 'Looked at again:', examined(result, style)].join('\n');
}
