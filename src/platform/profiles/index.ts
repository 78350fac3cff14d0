export { type FeatureSource, profileDigest, type VersionProfile } from './profile.js';
export { ProfileError, ProfileStore, type StoredProfile } from './store.js';
