export { loadManifest, parseManifest, resolveManifest, stringifyManifest } from './parse.js';
export type { ManifestSource } from './parse.js';
export { formatProblems } from './problems.js';
export type { Path, Problem } from './problems.js';
export { manifestJsonSchema } from './json-schema.js';
export { manifestReference } from './reference.js';
