export { doctorRound } from './doctorRound.js';
export { modelLifecycle } from './modelLifecycle.js';
export { modelRelease } from './modelRelease.js';
export { monitorShard } from './monitorShard.js';
