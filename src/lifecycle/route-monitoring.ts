import type { Manifest } from '../contracts/manifest.js';
import type { DesiredRoute } from '../contracts/routes.js';

/** The part of a table that says what is kept of requests; empty for a model that is not monitored. */
export function routeMonitoring(manifest: Manifest): Pick<DesiredRoute, 'monitoring'> {
  // A release that has been running for long has a manifest of before there was this section.
  const settings: Manifest['monitoring'] | undefined = manifest.monitoring;
  if (settings === null || settings === undefined) return {};
  const { samples, labelSeconds, windowSeconds } = settings;
  return {
    monitoring: {
      sampleShare: samples.share,
      sampleSeconds: samples.retainSeconds,
      labelSeconds,
      windowSeconds,
      personal: manifest.schema.inputs.filter(({ personal }) => personal === true).map(({ name }) => name),
      task: manifest.task,
      classes: manifest.prediction.classes,
    },
  };
}

/** Inputs of which a request may say `null`; only floating-point numbers have a value for it. */
export function nullableInputs({ schema }: Manifest): Pick<DesiredRoute, 'nullable'> {
  const names = schema.inputs
    .filter(({ nullable, datatype }) => nullable && (datatype === 'FP32' || datatype === 'FP64'))
    .map(({ name }) => name);
  return names.length === 0 ? {} : { nullable: names };
}
