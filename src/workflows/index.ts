export { doctorRound } from './doctorRound.js';
export { incident } from './incident.js';
export { modelLifecycle } from './modelLifecycle.js';
export { modelRelease } from './modelRelease.js';
