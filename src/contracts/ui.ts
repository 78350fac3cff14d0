/** What one looks at first in the Temporal UI, as visibility queries over Tenure's search attributes. */
export const UI_FILTERS: Readonly<Record<string, string>> = {
  models: "WorkflowType = 'modelLifecycle' AND ExecutionStatus = 'Running'",
  'releases in flight': "WorkflowType = 'modelRelease' AND ExecutionStatus = 'Running'",
  'waiting for approval': "TenureStage = 'awaiting-approval' AND ExecutionStatus = 'Running'",
  'open incidents': "WorkflowType = 'incident' AND ExecutionStatus = 'Running'",
  'models in alarm': "TenureHealth = 'alarm' AND ExecutionStatus = 'Running'",
};

/** A page of the Temporal UI: the workflows that a visibility query finds. */
export function uiLink(uiUrl: string, namespace: string, query: string): string {
  return `${uiUrl}/namespaces/${encodeURIComponent(namespace)}/workflows?query=${encodeURIComponent(query).replaceAll("'", '%27')}`;
}

/** The page of one workflow. */
export const uiWorkflowLink = (uiUrl: string, namespace: string, workflowId: string): string =>
  `${uiUrl}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(workflowId)}`;
