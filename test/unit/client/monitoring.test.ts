import assert from 'node:assert/strict';
import { monitoredPage } from '../../../src/client/command/render/monitoring.js';
import { createStyle } from '../../../src/client/command/style.js';
import type { Finding } from '../../../src/contracts/monitoring.js';

const finding: Finding = {
  id: 'employment/data-quality/SCHL/1',
  model: 'employment',
  version: { version: 'v1', digest: '1'.repeat(64) },
  kind: 'data-quality',
  cause: 'data-quality/SCHL',
  verdict: 'found',
  severity: 'critical',
  summary: 'Values of SCHL: unseen value 99, 33 % of rows, 0 % in the reference',
  features: [],
  rows: 500,
  onset: {
    estimate: '2026-11-28T10:00:00.000Z',
    from: '2026-11-28T10:00:00.000Z',
    to: '2026-11-28T11:00:00.000Z',
  },
  window: { from: '2026-11-28T10:00:00.000Z', to: '2026-11-28T11:00:00.000Z', digest: 'd'.repeat(64) },
  profile: null,
  detectedAt: '2026-11-28T11:00:40.000Z',
};

describe('what the monitors say', () => {
  const style = createStyle(false);

  it('is shown with what is open, what is waited for, and the findings', () => {
    const page = monitoredPage(
      {
        model: 'employment',
        health: {
          model: 'employment',
          version: finding.version,
          evaluatedTo: '2026-11-28T11:00:00.000Z',
          seenAt: '2026-11-28T11:00:40.000Z',
          state: 'alarm',
          waitingFor: ['measured-performance: 0 of 50 labels'],
          open: [{ cause: 'data-quality/SCHL', since: '2026-11-28T11:00:00.000Z', clear: 2 }],
        },
        findings: [finding, { ...finding, verdict: 'immaterial', severity: 'info', cause: 'data-drift' }],
      },
      style,
    );
    for (const line of [
      /^monitors say +alarm$/m,
      /^open +data-quality\/SCHL, first found in the window to 2026-11-28 11:00:00Z, gone for 2 windows$/m,
      /^waits for +measured-performance: 0 of 50 labels$/m,
      /critical +data-quality\/SCHL +Values of SCHL: unseen value 99/,
      /immaterial +data-drift/,
    ])
      assert.match(page, line);
  });

  it('has a line for the detectors that saw the errors rise', () => {
    const measured = { ...finding, cause: 'measured-performance', summary: 'Measured auc fell' };
    const detectors = [
      { name: 'Page-Hinkley', since: '2026-11-28T10:00:00.000Z' },
      { name: 'HDDM_A', since: '2026-11-28T09:00:00.000Z' },
    ];
    const page = monitoredPage(
      { model: 'employment', health: null, findings: [{ ...measured, detectors }, finding] },
      style,
    );
    assert.match(
      page,
      /\n\nmeasured-performance of 2026-11-28 11:00:40Z: more errors seen by Page-Hinkley since 2026-11-28 10:00:00Z, HDDM_A since 2026-11-28 09:00:00Z$/,
    );
  });

  it('is said where no monitor has been', () => {
    assert.equal(monitoredPage({ model: 'new', health: null, findings: [] }, style), 'No findings');
  });
});
