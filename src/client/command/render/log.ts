import { printable } from '../style.js';

const LEVELS: Readonly<Record<number, string>> = { 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' };
/** Said by the prefix of the line, or of no use to people. */
const LEFT_OUT = ['level', 'time', 'pid', 'hostname', 'name', 'msg', 'sdkComponent'];

/** A line of worker or gateway, whose logs are JSON for machines, as people read it. */
export function readableLog(line: string): string {
  const entry = parsed(line);
  if (entry === null) return printable(line);
  const { level, msg } = entry;
  const rest = Object.entries(entry).filter(([key]) => !LEFT_OUT.includes(key));
  const details = rest.map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const name = LEVELS[Number(level)] ?? 'debug';
  return printable(
    [name, typeof msg === 'string' ? msg : '', ...details].filter((part) => part !== '').join(' '),
  );
}

function parsed(line: string): Readonly<Record<string, unknown>> | null {
  if (!line.startsWith('{')) return null;
  try {
    return JSON.parse(line) as Readonly<Record<string, unknown>>;
  } catch {
    return null;
  }
}
