import assert from 'node:assert/strict';
import { CommanderError } from 'commander';
import { type ChaosArguments, chaosCommand } from '../../support/chaos/command.js';

interface Called {
  readonly given: ChaosArguments | null;
  readonly said: string;
  readonly code: number;
}

async function call(...args: string[]): Promise<Called> {
  let given: ChaosArguments | null = null;
  let said = '';
  const write = (text: string): void => void (said += text);
  const command = chaosCommand((taken) => {
    given = taken;
    return Promise.resolve();
  }).configureOutput({ writeOut: write, writeErr: write });
  try {
    await command.parseAsync(args, { from: 'user' });
    return { given, said, code: 0 };
  } catch (error) {
    assert.ok(error instanceof CommanderError);
    return { given, said, code: error.exitCode };
  }
}

describe('npm run chaos', () => {
  const wrong: readonly (readonly [args: readonly string[], message: RegExp])[] = [
    [['--releases', '0'], /'--releases <number>'.*'0' is invalid. It must be a whole number from 1 to 10000/],
    [['--releases', '1.5'], /whole number from 1 to 10000/],
    [['--releases', ''], /whole number from 1 to 10000/],
    [['--seed', '-1'], /'--seed <number>'.*'-1' is invalid. It must be a whole number from 0 to 2147483647/],
    [['--seed', '2147483648'], /whole number from 0/],
    [['--kill', 'all'], /unknown option '--kill'/],
    [['200'], /too many arguments/],
  ];
  for (const [args, message] of wrong)
    it(`refuses ${args.join(' ')}`, async () => {
      const { given, said, code } = await call(...args);
      assert.match(said, message);
      assert.notEqual(code, 0);
      assert.equal(given, null);
    });

  it('takes what it knows, and says what that is', async () => {
    assert.deepEqual((await call()).given, { releases: 20 });
    assert.deepEqual((await call('--releases', '200', '--seed', '0', '--json')).given, {
      releases: 200,
      seed: 0,
      json: true,
    });
    const { given, said, code } = await call('--help');
    assert.equal(given, null);
    assert.equal(code, 0);
    for (const option of ['--releases', '--seed', '--json']) assert.ok(said.includes(option), option);
  });
});
