export { type FeatureSource, profileDigest, type VersionProfile } from './profile.js';
export { ProfileStore, type StoredProfile } from './store.js';
