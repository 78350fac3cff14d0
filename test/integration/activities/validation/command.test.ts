import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../../../../src/activities/validation/command.js';
import type { CommandEnd } from '../../../../src/activities/validation/command.js';
import type { GateResult } from '../../../../src/contracts/validation.js';
import { gateOf, makeRows, MODELS, openSite } from './support.js';
import type { Site } from './support.js';

describe('command gate', () => {
  let site: Site;
  let data: string;
  before(async () => {
    site = await openSite();
    data = await site.putRows(makeRows(200));
  });
  after(() => site.close());

  async function gate(script: string, timeoutSeconds = 30): Promise<GateResult> {
    const file = join(site.folder, 'gate.mjs');
    await writeFile(file, script);
    const report = await site.run({
      dataDigest: data,
      champion: MODELS.fair,
      gates: [
        { kind: 'command', name: 'own', command: [process.execPath, file, '$(touch never)'], timeoutSeconds },
      ],
    });
    const result = gateOf(report, 'command:own');
    assert.equal(report.passed, result.passed);
    return result;
  }

  it('gets the request on standard input and the predictions in a file, without a shell or the environment', async () => {
    process.env['TENURE_TEST_SECRET'] = 'secret';
    const result = await gate(`
      import { readFileSync } from 'node:fs';
      const request = JSON.parse(readFileSync(0, 'utf8'));
      const p = JSON.parse(readFileSync(request.predictions, 'utf8'));
      const right = p.labels.filter((label, i) => label === (p.candidate[i] >= request.threshold ? 1 : 0)).length;
      const detail = { request, rows: [p.labels.length, p.candidate.length, p.champion.length, p.area, p.groups],
        accuracy: right / request.rows, environment: Object.keys(process.env).sort(), args: process.argv.slice(2), cwd: process.cwd() };
      console.log(JSON.stringify({ summary: 'All is well', detail }));`);
    delete process.env['TENURE_TEST_SECRET'];
    assert.deepEqual([result.verdict, result.summary], ['passed', 'All is well']);
    const answer = result.detail['answer'] as Record<string, unknown> & { request: Record<string, unknown> };
    assert.deepEqual(answer['environment'], ['HOME', 'LANG', 'PATH', 'TENURE_GATE', 'TMPDIR']);
    assert.deepEqual(answer['args'], ['$(touch never)']);
    assert.deepEqual((answer['rows'] as unknown[]).slice(0, 3), [200, 200, 200]);
    assert.ok(Number(answer['accuracy']) > 0.7);
    const { contract, model, version, champion, threshold, rows } = answer.request;
    assert.deepEqual([contract, model, threshold, rows], ['tenure/gate/v1', 'employment', 0.5, 200]);
    assert.equal((version as { version: string }).version, 'v2');
    assert.equal((champion as { version: string }).version, 'v1');
    assert.equal(existsSync(String(answer['cwd'])), false, 'its folder is gone');
  });

  const ends: readonly (readonly [string, string, string, RegExp])[] = [
    ['exit code 0 without a word passes', '', 'passed', /own ended with exit code 0/],
    [
      'exit code 1 fails',
      'console.log(JSON.stringify({ summary: "Drifted" })); process.exitCode = 1',
      'failed',
      /^Drifted$/,
    ],
    [
      'exit code 3 is an error',
      'console.error("no such table"); process.exitCode = 3',
      'error',
      /exit code 3; 0 means passed and 1 failed; it wrote: no such table/,
    ],
    ['a signal is an error', 'process.kill(process.pid, "SIGTERM")', 'error', /was ended by SIGTERM/],
    ['text that is no JSON is an error', 'console.log("fine")', 'error', /something other than JSON/],
    ['JSON that is no object is an error', 'console.log("[1]")', 'error', /must write a JSON object/],
    [
      'too much output is an error',
      'for (let i = 0; i < 5000; i += 1) console.log("x".repeat(100))',
      'error',
      /more than 65536 bytes/,
    ],
  ];
  for (const [name, script, verdict, summary] of ends) {
    it(name, async () => {
      const result = await gate(script);
      assert.equal(result.verdict, verdict, result.summary);
      assert.match(result.summary, summary);
    });
  }

  it('a program that is not there is an error', async () => {
    const report = await site.run({
      dataDigest: data,
      gates: [{ kind: 'command', name: 'own', command: ['tenure-no-such-program'], timeoutSeconds: 5 }],
    });
    assert.match(gateOf(report, 'command:own').summary, /tenure-no-such-program cannot be started: .*ENOENT/);
  });

  it('too slow is an error, and nothing is left in the folder for temporary files', async () => {
    const before = (await readdir(tmpdir())).filter((name) => name.startsWith('tenure-gate-'));
    const result = await gate('setTimeout(() => {}, 60_000)', 0.5);
    assert.equal(result.verdict, 'error');
    assert.match(result.summary, /was ended after 0\.5 seconds/);
    const after = (await readdir(tmpdir())).filter((name) => name.startsWith('tenure-gate-'));
    assert.deepEqual(after, before);
  });

  describe('process group', () => {
    let folder: string;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'tenure-command-'));
    });
    after(() => rm(folder, { recursive: true, force: true }));

    /** Starts a shell script that starts a child which outlives it; gives the child's process id. */
    async function leaveChild(
      tail: string,
      signal: AbortSignal,
    ): Promise<{ end: Promise<CommandEnd>; pid: () => number }> {
      const script = join(folder, 'leave.sh');
      const pidFile = join(folder, 'pid');
      await rm(pidFile, { force: true });
      await writeFile(
        script,
        `#!/bin/sh\nsleep 600 &\necho $! > ${pidFile}.new\nmv ${pidFile}.new ${pidFile}\n${tail}\n`,
      );
      await chmod(script, 0o755);
      const end = runCommand({
        command: [script],
        folder,
        environment: { PATH: process.env['PATH'] ?? '' },
        input: '',
        timeoutMs: 1000,
        maxOutput: 1000,
        signal,
      });
      return { end, pid: () => Number(readFileSync(pidFile, 'utf8')) };
    }
    /** Ended processes can stay as zombies until their parent looks. */
    const runs = (pid: number): boolean => {
      const status = `/proc/${pid}/stat`;
      if (existsSync('/proc/self/stat'))
        return existsSync(status) && !/\) Z /.test(readFileSync(status, 'utf8'));
      try {
        return process.kill(pid, 0);
      } catch {
        return false;
      }
    };
    const gone = async (pid: number): Promise<boolean> => {
      for (let i = 0; i < 100 && runs(pid); i += 1) await new Promise((resolve) => setTimeout(resolve, 20));
      return !runs(pid);
    };

    it('ends with the timeout', async () => {
      const { end, pid } = await leaveChild('wait', new AbortController().signal);
      assert.equal((await end).why, 'timeout');
      assert.ok(await gone(pid()));
    });

    it('ends with its leader', async () => {
      const { end, pid } = await leaveChild('exit 0', new AbortController().signal);
      assert.deepEqual([(await end).why, (await end).exitCode], ['exit', 0]);
      assert.ok(await gone(pid()));
    });

    it('ends with a cancellation', async () => {
      const abort = new AbortController();
      const { end, pid } = await leaveChild('wait', abort.signal);
      const rejected = assert.rejects(end, /stop it/);
      while (!existsSync(join(folder, 'pid'))) await new Promise((resolve) => setTimeout(resolve, 10));
      abort.abort(new Error('stop it'));
      await rejected;
      assert.ok(await gone(pid()));
    });
  });
});
