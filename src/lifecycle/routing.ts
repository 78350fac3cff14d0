import type { Manifest } from '../contracts/manifest.js';
import type { VersionRef } from '../contracts/model.js';
import type { DesiredRoute, GuardrailProbe, LocalTrip, RoutePhase } from '../contracts/routes.js';
import { nullableInputs, routeMonitoring } from './route-monitoring.js';

/** What a release or a model needs to know to describe wanted traffic. */
export interface RouteBasis {
  readonly manifest: Manifest;
  readonly champion: VersionRef | null;
  /** Former champions kept loaded for the rollback window. */
  readonly warm: readonly VersionRef[];
  readonly release: number | null;
  /** Slow threshold fixed before the step starts, milliseconds inside the thread; null: the objective's. */
  readonly slowThresholdMs: number | null;
}

/** Requests of a generation before a gateway may trip by itself: fewer could be noise. */
const TRIP_MINIMUM_REQUESTS = 20;

/** Only the champion serves. */
export function steadyRoute(basis: RouteBasis, phase: RoutePhase = 'steady'): DesiredRoute {
  const { manifest, champion, release } = basis;
  const { serving } = manifest;
  return {
    phase,
    champion: ref(champion),
    ...(champion === null ? { unavailableReason: 'no version of this model has been promoted' } : {}),
    candidate: null,
    holdback: null,
    shadow: null,
    warm: distinct(basis.warm, [champion]),
    salt: salt(manifest.name, release),
    release,
    guardrails: probes(basis),
    trips: [],
    fallback: serving.fallback,
    deadlineMs: serving.deadlineMs,
    leaseSeconds: serving.leaseSeconds,
    maxConcurrency: serving.maxConcurrency,
    routingKeyHeader: serving.routingKeyHeader,
    scoreOutput: manifest.prediction.score,
    ...nullableInputs(manifest),
    ...routeMonitoring(manifest),
  };
}

/** The candidate is loaded beside the champion and gets no traffic. */
export const deployedRoute = (basis: RouteBasis, candidate: VersionRef): DesiredRoute => ({
  ...steadyRoute(basis, 'deployed'),
  warm: distinct([candidate, ...basis.warm], [basis.champion]),
});

/** The candidate gets copies; users never see its answers. */
export function shadowRoute(basis: RouteBasis, candidate: VersionRef): DesiredRoute {
  const plan = basis.manifest.shadow;
  return {
    ...steadyRoute(basis, 'shadow'),
    warm: distinct(basis.warm, [basis.champion, candidate]),
    shadow: plan === null ? null : { ...bare(candidate), share: plan.share, tolerance: plan.tolerance },
  };
}

/** The candidate gets `weight` of the routing keys; a breach of a hard limit trips inside the gateway. */
export const canaryRoute = (basis: RouteBasis, candidate: VersionRef, weight: number): DesiredRoute => ({
  ...steadyRoute(basis, 'canary'),
  warm: distinct(basis.warm, [basis.champion, candidate]),
  candidate: { ...bare(candidate), weight },
  trips: trips(basis.manifest),
});

/** The candidate is champion; `holdback` of the keys stay on the former one, which is kept loaded. */
export function promotedRoute(basis: RouteBasis, candidate: VersionRef): DesiredRoute {
  const share = basis.champion === null ? 0 : basis.manifest.soak.holdback;
  return {
    ...steadyRoute({ ...basis, champion: candidate }, 'soak'),
    warm: distinct(basis.champion === null ? basis.warm : [basis.champion, ...basis.warm], [candidate]),
    holdback: basis.champion === null || share === 0 ? null : { ...bare(basis.champion), share },
  };
}

/** Nothing serves; requests get 503 with the reason. */
export const unavailableRoute = (
  basis: RouteBasis,
  reason: string,
  phase: RoutePhase = 'steady',
): DesiredRoute => ({
  ...steadyRoute({ ...basis, champion: null, warm: [] }, phase),
  unavailableReason: reason,
});

function probes({ manifest, slowThresholdMs }: RouteBasis): readonly GuardrailProbe[] {
  return manifest.canary.guardrails.map((guardrail): GuardrailProbe => {
    const { name } = guardrail;
    switch (guardrail.kind) {
      case 'errors':
        return { name, kind: 'errors' };
      case 'slow':
        return { name, kind: 'slow', thresholdMs: slowThresholdMs ?? manifest.objectives.latencyMs };
      case 'share': {
        const { output, index, op, value } = guardrail;
        return { name, kind: 'share', output, index, op, value };
      }
    }
  });
}

function trips(manifest: Manifest): readonly LocalTrip[] {
  return manifest.canary.guardrails.flatMap((guardrail) =>
    guardrail.hardLimit === null
      ? []
      : [{ guardrail: guardrail.name, maxShare: guardrail.hardLimit, minRequests: TRIP_MINIMUM_REQUESTS }],
  );
}

/** One salt a release: assignment is monotone as the weight grows, and drawn anew for the next release. */
const salt = (model: string, release: number | null): string => `${model}:${release ?? 'steady'}`;

const bare = ({ version, digest }: VersionRef): VersionRef => ({ version, digest });
const ref = (version: VersionRef | null): VersionRef | null => (version === null ? null : bare(version));

function distinct(
  versions: readonly VersionRef[],
  without: readonly (VersionRef | null)[],
): readonly VersionRef[] {
  const seen = new Set(without.map((version) => version?.digest));
  return versions.flatMap((version) => {
    if (seen.has(version.digest)) return [];
    seen.add(version.digest);
    return [bare(version)];
  });
}
