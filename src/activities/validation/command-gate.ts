/** A command of the user's own. Its contract is in docs/gates.md. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Json } from '../../contracts/ledger.js';
import type { Gate } from '../../contracts/manifest.js';
import type { Bench } from './bench.js';
import { runCommand } from './command.js';
import type { CommandEnd } from './command.js';
import { judged, reasonOf } from './results.js';
import type { Judged } from './results.js';

/** Bytes of standard output that are read; more is an error. */
const MAX_COMMAND_OUTPUT = 64 * 1024;

export async function commandGate(
  gate: Gate & { kind: 'command' },
  bench: Bench,
  commandPath: string,
): Promise<Judged> {
  const { command, timeoutSeconds } = gate;
  const folder = await mkdtemp(join(tmpdir(), 'tenure-gate-'));
  try {
    const request = await writeRequest(bench, gate, folder);
    bench.progress.report(`running ${gate.name}`, 0, 1);
    const end = await runCommand({
      command,
      folder,
      // Nothing of the worker's own environment: it holds secrets.
      environment: {
        PATH: commandPath,
        HOME: folder,
        TMPDIR: folder,
        LANG: 'C.UTF-8',
        TENURE_GATE: gate.name,
      },
      input: JSON.stringify(request),
      timeoutMs: timeoutSeconds * 1000,
      maxOutput: MAX_COMMAND_OUTPUT,
      signal: bench.progress.signal,
    });
    return judgeEnd(gate, end);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Writes the predictions beside the command and gives what goes to its standard input. */
async function writeRequest(bench: Bench, gate: Gate & { kind: 'command' }, folder: string): Promise<Json> {
  const { manifest, version, champion } = bench;
  const candidate = await bench.candidateScores();
  const others = await bench.championScores();
  const { groups, rows } = await bench.data();
  const predictions = join(folder, 'predictions.json');
  const { task, prediction } = manifest;
  const names = prediction.classes;
  const content = {
    labels: Array.from(candidate.labels, (label) => (task === 'regression' ? label : names[label])),
    candidate: Array.from(candidate.scores),
    champion: others === null ? null : Array.from(others.scores),
    groups: Object.fromEntries(groups),
  };
  await writeFile(predictions, JSON.stringify(content));
  return {
    contract: 'tenure/gate/v1',
    gate: gate.name,
    model: manifest.name,
    task,
    version: { ...version },
    champion: champion === null ? null : { ...champion },
    classes: names,
    threshold: prediction.threshold,
    rows,
    predictions,
    artifact: (await bench.candidateFile()).path,
    data: await bench.dataFile(),
  };
}

function judgeEnd(gate: Gate & { kind: 'command' }, end: CommandEnd): Judged {
  const stderr = end.stderr.trim().slice(-2000);
  const detail = { exitCode: end.exitCode, signal: end.signal, stderr };
  const hint = stderr === '' ? '' : `; it wrote: ${stderr.slice(-300)}`;
  if (end.why === 'timeout') {
    return judged(
      'error',
      `${gate.name} was ended after ${gate.timeoutSeconds} seconds; make it quicker or raise timeoutSeconds${hint}`,
      detail,
    );
  }
  if (end.why === 'output') {
    return judged(
      'error',
      `${gate.name} wrote more than ${MAX_COMMAND_OUTPUT} bytes to its standard output`,
      detail,
    );
  }
  if (end.exitCode !== 0 && end.exitCode !== 1) {
    const how = end.exitCode === null ? `was ended by ${end.signal}` : `ended with exit code ${end.exitCode}`;
    return judged('error', `${gate.name} ${how}; 0 means passed and 1 failed${hint}`, detail);
  }
  const verdict = end.exitCode === 0 ? 'passed' : 'failed';
  const said = end.stdout.trim();
  if (said === '') return judged(verdict, `${gate.name} ended with exit code ${end.exitCode}${hint}`, detail);
  let answer: unknown;
  try {
    answer = JSON.parse(said);
  } catch (error) {
    return judged(
      'error',
      `${gate.name} wrote something other than JSON to its standard output: ${reasonOf(error)}`,
      detail,
    );
  }
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) {
    return judged(
      'error',
      `${gate.name} must write a JSON object to its standard output, or nothing`,
      detail,
    );
  }
  const { summary, detail: own } = answer as { summary?: unknown; detail?: unknown };
  const text =
    typeof summary === 'string' && summary !== ''
      ? summary.slice(0, 1000)
      : `${gate.name} ended with exit code ${end.exitCode}`;
  return judged(verdict, text, { ...detail, answer: own === undefined ? null : (own as Json) });
}
