'use strict';
const { writeFileSync } = require('node:fs');
const { reporters, Runner } = require('mocha');
const { closingLine } = require('./closing-line.ts');

/**
 * What a test has left open must not keep a whole run waiting. A native call of a model that is stuck is waited for by the process, and
 * takes its time on a busy machine.
 */
const PATIENCE_MS = 120_000;

/**
 * Mocha's spec reporter with one closing line that CI systems can read: `N passed, N failed`. With the option `counts=FILE` the
 * counts and the failures go to that file instead, for somebody who adds them up. A process that
 * goes on after its tests is ended with exit code 1, and says what kept it.
 */
class ClosingLineReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const failed = [];
    runner.on(Runner.constants.EVENT_TEST_FAIL, (test, error) => {
      failed.push({ title: test.fullTitle(), file: test.file, reason: String(error?.stack ?? error) });
    });
    runner.once(Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures, pending } = this.stats;
      const file = options?.reporterOptions?.counts;
      if (file === undefined) console.log(closingLine({ passes, failures, pending }));
      else writeFileSync(file, JSON.stringify({ passes, failures, pending, failed }));
      setTimeout(endWhatGoesOn, PATIENCE_MS).unref();
    });
  }
}

function endWhatGoesOn() {
  const kept = process.getActiveResourcesInfo().join(', ');
  console.error(`The tests are over, but a test or a hook has left something open: ${kept}`);
  // Mocha sets the exit code when the process exits, by its failures alone.
  process.on('exit', () => {
    process.exitCode = 1;
  });
  process.exit();
}

module.exports = ClosingLineReporter;
