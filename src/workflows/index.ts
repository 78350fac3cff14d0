export { modelLifecycle } from './modelLifecycle.js';
export { modelRelease } from './modelRelease.js';
