export {
  ArtifactError,
  type ArtifactErrorCode,
  type ArtifactStore,
  isDigest,
  type StoredArtifact,
} from './artifact-store.js';
export { FolderArtifactStore } from './folder-store.js';
export { MongoVersionRegistry } from './mongo-registry.js';
export { VersionConflictError, type VersionRegistry } from './version-registry.js';
