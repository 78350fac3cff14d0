import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CommanderError } from 'commander';
import { exitCodeOf, exitCodeOfRelease } from '../../../src/client/command/exit.js';
import { ManifestError, TenureError } from '../../../src/client/errors.js';
import { ConfigError } from '../../../src/config.js';
import { collect, tenureHere } from '../../support/command.js';
import { MINIMAL } from '../../support/model-yaml.js';
import { sight } from '../../support/release-views.js';
import { runCommand } from '../../../src/client/command/run.js';

interface Failure {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly problems?: readonly { readonly path: string; readonly line: number }[];
  };
}
const failure = (text: string): Failure['error'] => (JSON.parse(text) as Failure).error;

describe('command: usage', () => {
  let home: string;
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'tenure-usage-'));
  });
  afterEach(() => rm(home, { recursive: true, force: true }));

  const tenure = (...args: string[]) => tenureHere(args, { TENURE_HOME: home, TENURE_USER: 'ada' });

  it('has stable exit codes', () => {
    const codes = [
      [new TenureError('refused', ''), 1],
      [new TenureError('not-found', ''), 1],
      [new TenureError('invalid', ''), 2],
      [new TenureError('unreachable', ''), 3],
      [new ManifestError('model.yaml', []), 2],
      [new ConfigError(''), 2],
      [new CommanderError(1, 'commander.unknownOption', ''), 2],
      [new CommanderError(0, 'commander.helpDisplayed', ''), 0],
      [new Error('unforeseen'), 1],
    ] as const;
    for (const [error, code] of codes) assert.equal(exitCodeOf(error), code, error.constructor.name);
    assert.equal(exitCodeOfRelease(sight({ stage: 'succeeded', outcome: 'succeeded' })), 0);
    for (const outcome of ['rejected', 'rolled-back', 'aborted'] as const)
      assert.equal(exitCodeOfRelease(sight({ stage: outcome, outcome })), 1);
  });

  const wrong: readonly (readonly [what: string, args: readonly string[], message: RegExp])[] = [
    ['an unknown command', ['modle', 'list'], /unknown command 'modle'/],
    ['an unknown option', ['model', 'list', '--al'], /unknown option '--al'/],
    ['a missing argument', ['model', 'apply'], /missing required argument 'file'/],
    ['an argument too many', ['model', 'list', 'x'], /too many arguments/],
    ['a release number that is none', ['release', 'status', 'm', 'two'], /whole number from 1/],
    ['release 0', ['release', 'status', 'm', '0'], /whole number from 1/],
    ['a decision without a reason', ['release', 'approve', 'm', '1'], /'--reason <text>' not specified/],
    ['an empty reason', ['release', 'reject', 'm', '1', '--reason', ' '], /must not be empty/],
    [
      'a freeze until the past',
      ['model', 'freeze', 'm', '--reason', 'r', '--until', '2001-01-01'],
      /in the future/,
    ],
    ['a freeze until never', ['model', 'freeze', 'm', '--reason', 'r', '--until', 'soon'], /time like/],
    ['a timeout of nothing', ['model', 'list', '--timeout', '0'], /number of seconds/],
    ['a shell that is not known', ['completion', 'tcsh'], /Allowed choices are bash, zsh, fish/],
    ['no command', [], /Usage: tenure/],
    ['half a command', ['release'], /Usage: tenure release/],
  ];
  for (const [what, args, message] of wrong)
    it(`answers ${what} with exit code 2`, async () => {
      const { code, stdout, stderr } = await tenure(...args);
      assert.equal(code, 2);
      assert.equal(stdout, '');
      assert.match(stderr, message);
      const json = await tenure(...args, '--json');
      assert.equal(json.code, 2);
      assert.equal(json.stderr, '');
      assert.equal(failure(json.stdout).code, 'invalid');
    });

  it('shows help on request, also for a command of a command', async () => {
    for (const args of [
      ['--help'],
      ['release', '--help'],
      ['release', 'start', '--help'],
      ['help', 'model'],
    ]) {
      const { code, stdout } = await tenure(...args);
      assert.equal(code, 0);
      assert.match(stdout, /Usage: tenure/);
      assert.match(stdout, /--json/);
    }
  });

  it('lists every problem of a manifest with its line and column', async () => {
    const file = join(home, 'model.yaml');
    const text = MINIMAL.replace('task: binary', 'task: binari').replace('team:', 'taem:');
    await writeFile(file, text);
    const { code, stderr } = await tenure('model', 'apply', file);
    assert.equal(code, 2);
    assert.match(stderr, /model\.yaml:4:1 {2}taem is not a field/);
    assert.match(stderr, /model\.yaml:7:7 {2}task is "binari"; allowed: .*did you mean binary/);
    const json = await tenure('model', 'apply', file, '--json');
    assert.equal(json.code, 2);
    const { problems = [] } = failure(json.stdout);
    assert.ok(problems.some(({ path, line }) => path === 'task' && line === 7));
  });

  it('says that a file cannot be read', async () => {
    const { code, stderr } = await tenure('model', 'apply', join(home, 'nothing.yaml'));
    assert.equal(code, 2);
    assert.match(stderr, /nothing\.yaml {2}Cannot be read: ENOENT/);
    const register = await tenure('version', 'register', 'm', 'v1', join(home, 'no.onnx'));
    assert.equal(register.code, 2);
    assert.match(register.stderr, /Nothing was registered: .*no\.onnx cannot be read: there is no such file/);
  });

  it('checks lineage before anything is done', async () => {
    const [artifact, lineage] = [join(home, 'm.onnx'), join(home, 'lineage.json')];
    await writeFile(artifact, 'x');
    await writeFile(lineage, '{"trainingDataDigest":"abc","sauce":1}');
    const file = await tenure('version', 'register', 'm', 'v1', artifact, '--lineage-file', lineage);
    assert.equal(file.code, 2);
    assert.match(file.stderr, /trainingDataDigest: needed: 64 lower-case hex digits; .*"sauce"/);
    const option = await tenure('version', 'register', 'm', 'v1', artifact, '--training-data-digest', 'abc');
    assert.equal(option.code, 2);
    const digest = await tenure('version', 'register', 'm', 'v1', artifact, '--digest', 'ABC');
    assert.match(digest.stderr, /Digest is "ABC"; allowed: 64 lower-case hex digits/);
  });

  it('refuses a file that is not the one meant, before it is stored', async () => {
    const artifact = join(home, 'm.onnx');
    await writeFile(artifact, 'x');
    const { code, stderr } = await tenure(
      'version',
      'register',
      'm',
      'v1',
      artifact,
      '--digest',
      '0'.repeat(64),
    );
    assert.equal(code, 1);
    assert.match(stderr, /has digest 2d711642b726b044.*, not 0{64}/);
  });

  it('names the variable of the environment that is wrong', async () => {
    const { code, stderr } = await tenureHere(['model', 'list'], {
      TENURE_HOME: home,
      MONGODB_URI: 'http://secret',
    });
    assert.equal(code, 2);
    assert.match(stderr, /MONGODB_URI is \(not shown\): must begin with mongodb/);
  });

  it('says with exit code 3 that no stack runs, and how to start one', async () => {
    for (const args of [
      ['model', 'list'],
      ['history', 'm'],
      ['gateway', 'status'],
      ['release', 'watch', 'm'],
    ]) {
      const { code, stderr } = await tenure(...args);
      assert.equal(code, 3, args.join(' '));
      assert.match(stderr, /is not running in .*: start it with `tenure up`/);
    }
  });

  it('says with exit code 3 that Temporal or MongoDB is not reachable', async function () {
    this.timeout(30_000);
    const port = await closedPort();
    const env = {
      TENURE_HOME: home,
      TEMPORAL_ADDRESS: `127.0.0.1:${port}`,
      MONGODB_URI: `mongodb://ada:secret@127.0.0.1:${port}/?replicaSet=rs0`,
    };
    const [temporal, mongodb] = await Promise.all([
      tenureHere(['model', 'list'], env),
      tenureHere(['ledger', 'verify', '--json'], env),
    ]);
    assert.equal(temporal.code, 3);
    assert.match(temporal.stderr, /Temporal is not reachable at 127\.0\.0\.1/);
    assert.equal(mongodb.code, 3);
    assert.equal(failure(mongodb.stdout).code, 'unreachable');
    assert.match(failure(mongodb.stdout).message, /MongoDB is not reachable/);
    assert.ok(!mongodb.stdout.includes('secret'));
  });

  it('completes commands and options in bash', async () => {
    const { stdout: script } = await tenure('completion', 'bash');
    const complete = (...words: string[]): string[] => {
      const lines = [
        script,
        `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})`,
        `COMP_CWORD=${words.length - 1}`,
        '_tenure',
        'for word in "${COMPREPLY[@]}"; do echo "$word"; done',
      ];
      const { stdout } = spawnSync('bash', ['--norc', '-c', lines.join('\n')], { encoding: 'utf8' });
      return stdout.trim().split('\n');
    };
    assert.deepEqual(complete('tenure', 'rel'), ['release']);
    assert.ok(complete('tenure', 'release', '').includes('watch'));
    assert.deepEqual(complete('tenure', '--json', 'release', 'start', 'm', '--w'), ['--wait']);
    assert.deepEqual(complete('tenure', 'model', 'ro'), ['roll-back']);
  });

  it('makes completion scripts for zsh and fish that name every command', async () => {
    for (const shell of ['zsh', 'fish']) {
      const { code, stdout } = await tenure('completion', shell);
      assert.equal(code, 0);
      for (const name of ['model apply', 'release promote', 'ledger verify', 'gateway retire'])
        assert.ok(stdout.includes(name), `${shell}: ${name}`);
    }
  });

  it('starts from bin, with or without a build', () => {
    const bin = fileURLToPath(new URL('../../../bin/tenure.js', import.meta.url));
    const { status, stdout } = spawnSync(process.execPath, [bin, '--version'], { encoding: 'utf8' });
    assert.equal(status, 0);
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
  });

  it('writes the error to the given outputs only', async () => {
    const { outputs, texts } = collect({ columns: 80, rows: 24 });
    assert.equal(await runCommand(['model', 'list', '--no-color'], outputs, { TENURE_HOME: home }), 3);
    assert.match(texts.stderr, /^error: /);
  });
});

/** A port that nobody listens on. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
