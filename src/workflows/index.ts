export { doctorRound } from './doctorRound.js';
export { fleetReport } from './fleetReport.js';
export { incident } from './incident.js';
export { modelLifecycle } from './modelLifecycle.js';
export { modelRelease } from './modelRelease.js';
export { monitorShard } from './monitorShard.js';
export { modelRetraining } from './modelRetraining.js';
