export { findBinary, type BinarySettings } from './binaries/index.js';
export { freePorts } from './ports.js';
export { killStack, startStack, type Stack } from './stack.js';
export { readRunningStack } from './running.js';
export { withLock } from './lock.js';
export { hasTemporalFiles, replaceTemporalFiles, stackOwner, withTemporalAtRest } from './temporal-files.js';
