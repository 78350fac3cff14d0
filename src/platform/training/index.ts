export type { NotTrained, Trained, TrainingOrder, TrainingProgress } from './platform.js';
export { ProcessPlatform } from './process/process-platform.js';
