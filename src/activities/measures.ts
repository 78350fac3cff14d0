import type { MetricMeter } from '@temporalio/common';
import { DIFFERENCE_CODES, type DoctorReport } from '../contracts/doctor.js';

/** What the worker's activities measure, beside what the SDK does. */
export interface Measures {
  /** A whole round of the doctor is over. */
  round(report: DoctorReport): void;
  /** Events could not be written to the ledger. */
  unwritten(): void;
  /** An act towards safety was not seen done. */
  unverified(): void;
}

export const NO_MEASURES: Measures = {
  round: () => undefined,
  unwritten: () => undefined,
  unverified: () => undefined,
};

/** Names as Prometheus sees them. Every one is there from the start, so that an alert never waits for its first sample. */
export function createMeasures(meter: MetricMeter): Measures {
  const differences = meter.createGauge(
    'tenure_doctor_differences',
    'int',
    undefined,
    'Differences between the parts that the last round found, by kind',
  );
  const roundAt = meter.createGauge(
    'tenure_doctor_round_timestamp_seconds',
    'float',
    undefined,
    'When this worker last ended a round of the doctor, Unix time; 0 before the first',
  );
  const lag = meter.createGauge(
    'tenure_ledger_lag_seconds',
    'float',
    undefined,
    'Age of the oldest event that a workflow carries because it could not be recorded, at the last round',
  );
  const parked = meter.createGauge(
    'tenure_parked_acts',
    'int',
    undefined,
    'Acts whose attempts are spent and that wait for their next try, at the last round',
  );
  const gateways = meter.createGauge(
    'tenure_gateways',
    'int',
    undefined,
    'Registered gateways by what is heard of them, at the last round',
  );
  const unwritten = meter.createCounter(
    'tenure_ledger_write_failures',
    undefined,
    'Attempts to write to the ledger that failed',
  );
  const unverified = meter.createCounter(
    'tenure_rollback_unverified',
    undefined,
    'Attempts of acts towards safety that were not seen done',
  );
  const show = ({ byCode, at, ledgerLagSeconds, parked: acts, gateways: seen }: Shown): void => {
    for (const kind of DIFFERENCE_CODES) differences.set(byCode[kind] ?? 0, { kind });
    roundAt.set(Date.parse(at) / 1_000);
    lag.set(ledgerLagSeconds);
    parked.set(acts);
    gateways.set(seen.serving, { state: 'serving' });
    gateways.set(seen.silent.length, { state: 'silent' });
  };
  show({
    byCode: {},
    at: new Date(0).toISOString(),
    ledgerLagSeconds: 0,
    parked: 0,
    gateways: { serving: 0, silent: [] },
  });
  unwritten.add(0);
  unverified.add(0);
  return { round: show, unwritten: () => unwritten.add(1), unverified: () => unverified.add(1) };
}

type Shown = Pick<DoctorReport, 'byCode' | 'at' | 'ledgerLagSeconds' | 'parked' | 'gateways'>;
