'use strict';
const { writeFileSync } = require('node:fs');
const { reporters, Runner } = require('mocha');
const { closingLine } = require('./closing-line.ts');

/**
 * Mocha's spec reporter with one closing line that CI systems can read: `N passed, N failed`. With the option `counts=FILE` the
 * counts and the failures go to that file instead, for somebody who adds them up.
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
    });
  }
}

module.exports = ClosingLineReporter;
