import { modelWorkflowId } from './ids.js';
import type { Manifest } from './manifest.js';
import {
  TenureHealth,
  TenureModel,
  TenureOwner,
  TenureRiskTier,
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
