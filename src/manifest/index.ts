export { loadManifest, parseManifest, resolveManifest, stringifyManifest } from './parse.js';
export type { ManifestSource, ParsedManifest, ResolvedManifest } from './parse.js';
export { formatProblems } from './problems.js';
export type { Complaint, Path, Problem } from './problems.js';
export { manifestJsonSchema } from './json-schema.js';
export { manifestReference } from './reference.js';
export { tierDefaults } from './tiers.js';
export type { TierDefaults } from './tiers.js';
