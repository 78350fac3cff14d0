export { commandOf, type Executable } from './executable.js';
export { findBinary, type BinarySettings } from './find.js';
