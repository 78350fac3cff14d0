import { strict as assert } from 'node:assert';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { handedDown, type KeptProcess, startProcess } from '../../../src/client/processes.js';

/** Says its number and what it was given, then lives until it is told to end. */
const ENTRY = `
const given: string = process.env['GIVEN'] ?? 'nothing';
const alive = setInterval(() => undefined, 1000);
process.on('SIGTERM', () => {
  if (given === 'stubborn') return;
  process.stdout.write('leaving\\n');
  clearInterval(alive);
});
// Last: who has read it may end the process.
process.stdout.write(\`here \${process.pid} \${given} \${process.argv.slice(2).join(',')}\\n\`);
`;

describe('options that a process hands down', () => {
  const plain = ['--enable-source-maps', '--import', 'file:///x/other.mjs', '--max-old-space-size=500'];
  const tsx = [
    '--import=tsx',
    '--import',
    'file:///x/tsx/dist/loader.mjs',
    '--require',
    '/x/tsx/preflight.cjs',
  ];
  const options = [...tsx, '--inspect=127.0.0.1:9229', ...plain];

  it('are all but the debugger to TypeScript', () => {
    assert.deepEqual(handedDown(options, true), [...tsx, ...plain]);
  });

  it('are not tsx, however it is written, to what is compiled', () => {
    assert.deepEqual(handedDown(options, false), plain);
    assert.deepEqual(handedDown([...plain, ...tsx], false), plain);
  });
});

describe('startProcess', () => {
  let folder: string;
  let entry: string;
  let kept: KeptProcess | undefined;
  const lines: string[] = [];
  const events: string[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tenure-process-'));
    entry = join(folder, 'entry.mts');
    await writeFile(entry, ENTRY);
    lines.length = 0;
    events.length = 0;
  });
  afterEach(async () => {
    await kept?.stop(100);
    kept = undefined;
    await rm(folder, { recursive: true, force: true });
  });

  const start = (given: string, restart: boolean): KeptProcess =>
    (kept = startProcess({
      name: 'part',
      entry,
      args: ['a', 'b'],
      env: { ...process.env, GIVEN: given },
      restart,
      onLine: (line) => lines.push(line),
      onEvent: (text) => events.push(text),
    }));
  const until = async (isSo: () => boolean): Promise<void> => {
    for (let tries = 0; tries < 1_000 && !isSo(); tries += 1)
      await new Promise((resolve) => setTimeout(resolve, 20));
    assert.ok(isSo(), [...lines, ...events].join('\n'));
  };

  it('runs TypeScript with its environment, and ends it when told to', async () => {
    const { pid } = start('something', true);
    await until(() => lines.length > 0);
    assert.deepEqual(lines, [`here ${pid} something a,b`]);
    assert.deepEqual(await kept?.stop(), { code: 0, signal: null });
    assert.equal(lines.at(-1), 'leaving');
    assert.equal(kept?.pid, null);
    assert.deepEqual(events, []);
  });

  it('starts a killed process again, and says so', async () => {
    const process_ = start('something', true);
    await until(() => lines.length === 1);
    const first = process_.pid;
    process_.kill('SIGKILL');
    await until(() => lines.length === 2);
    assert.notEqual(process_.pid, first);
    assert.equal(process_.restarts, 1);
    assert.deepEqual(events, ['part ended by SIGKILL; it is started again in 0.5 s']);
  });

  it('leaves a killed process dead when it is not to be kept', async () => {
    const process_ = start('something', false);
    await until(() => lines.length === 1);
    process_.kill('SIGKILL');
    assert.deepEqual(await process_.exited, { code: null, signal: 'SIGKILL' });
    assert.deepEqual(events, ['part ended by SIGKILL']);
    process_.kill('SIGKILL');
    assert.deepEqual(await process_.stop(), { code: null, signal: 'SIGKILL' });
  });

  it('ends a process by force that does not end', async () => {
    const process_ = start('stubborn', true);
    await until(() => lines.length === 1);
    assert.deepEqual(await process_.stop(100), { code: null, signal: 'SIGKILL' });
  });

  it('takes its processes along when it is killed itself', async () => {
    const parent = join(folder, 'parent.mts');
    const library = new URL('../../../src/client/processes.ts', import.meta.url).href;
    const note = join(folder, 'pid');
    await writeFile(
      parent,
      `import { writeFileSync } from 'node:fs';
const { startProcess } = await import(${JSON.stringify(library)});
const kept = startProcess({ name: 'child', entry: ${JSON.stringify(entry)}, onLine: () => writeFileSync(${JSON.stringify(note)}, String(kept.pid)) });
`,
    );
    entry = parent;
    const process_ = start('something', false);
    let child = 0;
    for (let tries = 0; tries < 500 && child === 0; tries += 1) {
      child = Number(await readFile(note, 'utf8').catch(() => '0'));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.ok(isAlive(child));
    process_.kill('SIGKILL');
    await until(() => !isAlive(child));
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
