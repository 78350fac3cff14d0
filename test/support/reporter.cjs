'use strict';
const { reporters, Runner } = require('mocha');

/** Mocha's spec reporter with one closing line that CI systems can read: `N passed, N failed`. */
class ClosingLineReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.once(Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures, pending } = this.stats;
      console.log(`${passes} passed, ${failures} failed${pending > 0 ? `, ${pending} skipped` : ''}`);
    });
  }
}

module.exports = ClosingLineReporter;
