import { incidentWorkflowId, modelWorkflowId } from './ids.js';
import type { IncidentInput } from './incidents.js';
import type { Manifest } from './manifest.js';
import {
  TenureHealth,
  TenureModel,
  TenureOwner,
  TenureRiskTier,
  TenureStage,
  TenureVersion,
} from './search-attributes.js';

/** How a model's lifecycle is started, by whomever: with its manifest, or with the state that its record gives. */
export const lifecycleStart = ({ name, purpose, owner, riskTier }: Manifest, taskQueue: string) => ({
  workflowId: modelWorkflowId(name),
  taskQueue,
  staticSummary: `${name}: ${purpose}`.slice(0, 200),
  typedSearchAttributes: [
    { key: TenureModel, value: name },
    { key: TenureOwner, value: owner },
    { key: TenureRiskTier, value: riskTier },
    { key: TenureHealth, value: 'no-champion' },
    { key: TenureVersion, value: 'none' },
  ],
});

/**
 * How an incident is started, by its model or by a monitor.
 * @param version what serves, or `none`
 * @param openedAt ISO 8601
 */
export const incidentStart = (
  { opening, riskTier, owner }: IncidentInput,
  { version, openedAt }: { readonly version: string; readonly openedAt: string },
) => ({
  workflowId: incidentWorkflowId(opening.model, opening.incident),
  // One that is over is not opened a second time: by a model that was reset, or a monitor that could not note that it was started.
  workflowIdReusePolicy: 'REJECT_DUPLICATE' as const,
  staticSummary: `${opening.model}: ${opening.title}`.slice(0, 200),
  memo: { title: opening.title.slice(0, 500), openedAt },
  typedSearchAttributes: [
    { key: TenureModel, value: opening.model },
    { key: TenureStage, value: 'open' },
    { key: TenureVersion, value: version },
    { key: TenureRiskTier, value: riskTier },
    { key: TenureOwner, value: owner },
    { key: TenureHealth, value: opening.severity },
  ],
});
