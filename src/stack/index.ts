export { BinaryNotFoundError, findBinary, type BinaryName, type BinarySettings } from './binaries/index.js';
export { killStack, startStack, type Stack, type StackOptions } from './stack.js';
export { readRunningStack, type RunningStack } from './running.js';
