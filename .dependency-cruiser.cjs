'use strict';

// Who may import whom (docs/architecture.md, "Dependencies point one way"). A folder not named here may import nothing of src.
const allowed = {
  contracts: [],
  // Which effects there are, and what a test does at one of them.
  'fail-points': [],
  // Who a process is, and how it is ended with all that it started.
  processes: [],
  lifecycle: ['contracts', 'statistics'],
  statistics: ['contracts'],
  workflows: ['contracts', 'lifecycle', 'statistics'],
  ledger: ['contracts', 'fail-points'],
  manifest: ['contracts'],
  platform: ['contracts', 'statistics', 'fail-points', 'processes'],
  // What the head of platform asks for: read by the worker every day, and by the command.
  report: ['contracts', 'lifecycle', 'platform', 'fail-points'],
  activities: [
    'contracts',
    'lifecycle',
    'statistics',
    'ledger',
    'platform',
    'report',
    'fail-points',
    'processes',
  ],
  gateway: ['contracts', 'statistics', 'platform', 'fail-points'],
  stack: ['contracts', 'fail-points', 'processes'],
  // What a backup is: the stack's own files are brought to it by the client.
  backup: ['contracts', 'ledger', 'platform', 'fail-points'],
};

const oneWay = Object.entries(allowed).map(([from, to]) => ({
  name: `${from}-one-way`,
  severity: 'error',
  from: { path: `^src/${from}/` },
  to: { path: '^src/', pathNot: [`^src/(${[from, ...to].join('|')})/`, '^src/config\\.ts$'] },
}));

const clientMay = [
  '^src/(client|contracts|manifest|ledger|platform|statistics|backup|report|fail-points)/',
  '^src/config\\.ts$',
];
const startsTheStack = '^src/client/(up|session|backup|restore)\\.ts$';
const client = [
  {
    name: 'client-one-way',
    severity: 'error',
    from: { path: '^src/client/', pathNot: startsTheStack },
    to: { path: '^src/', pathNot: clientMay },
  },
  {
    name: 'client-starts-the-stack',
    comment:
      '`tenure up` starts it, a session asks where it runs, backup and restore handle its files; worker and gateway are processes of their own',
    severity: 'error',
    from: { path: startsTheStack },
    to: { path: '^src/', pathNot: [...clientMay, '^src/stack/index\\.ts$'] },
  },
  {
    name: 'the-library-knows-no-command',
    severity: 'error',
    from: { path: '^src/', pathNot: '^src/client/command/' },
    to: { path: '^src/client/command/' },
  },
];

module.exports = {
  forbidden: [
    ...oneWay,
    ...client,
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'workflow-code-is-pure',
      comment: 'zod, mongodb, pino and node: must not reach the workflow bundle',
      severity: 'error',
      from: { path: '^src/(workflows|lifecycle|statistics|contracts)/' },
      to: { dependencyTypes: ['core', 'npm'], pathNot: '^node_modules/@temporalio/(workflow|common)/' },
    },
    {
      name: 'workflows-know-no-time-zones',
      comment: 'Intl answers from data that differ between workers: an activity asks it',
      severity: 'error',
      from: { path: '^src/(workflows|lifecycle)/' },
      to: { path: '^src/lifecycle/freeze-windows\\.ts$' },
    },
    {
      name: 'lifecycle-and-statistics-know-no-sdk',
      severity: 'error',
      from: { path: '^src/(lifecycle|statistics)/' },
      to: { path: '^node_modules/' },
    },
    {
      name: 'only-config-reads-the-environment',
      comment: 'config.ts is for entry points: libraries get their settings as arguments',
      severity: 'error',
      from: { path: '^src/(contracts|lifecycle|statistics|workflows|ledger|manifest|activities|platform)/' },
      to: { path: '^src/config\\.ts$' },
    },
    {
      name: 'src-knows-no-test',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|examples)/' },
    },
  ],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.cjs'],
      conditionNames: ['import', 'require', 'node', 'default'],
    },
  },
};
