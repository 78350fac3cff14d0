export { commandOf, type Executable } from './executable.js';
export { BinaryNotFoundError, findBinary, type BinarySettings } from './find.js';
export type { BinaryName } from './pins.js';
