/** The canary's statistics: pure functions over counts; state and results are plain JSON (src/contracts/canary.ts). */
export { initialJudge, judge } from './judge.js';
export { CANARY_JUDGE_VERSION } from './version.js';
export { checkCanaryPlan } from './plan.js';
export { recompute, type Recomputed } from './recompute.js';
export { initialBound, judgeBound } from './one-sample.js';
export { nextLookAt } from './schedule.js';
export { slowThresholdMs, type SlowRule } from './slow-threshold.js';
