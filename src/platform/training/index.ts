export type { NotTrained, Trained, TrainingOrder, TrainingPlatform, TrainingProgress } from './platform.js';
export { ProcessPlatform } from './process/process-platform.js';
