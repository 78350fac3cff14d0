export { HeldProfiles } from './held.js';
export { type FeatureSource, profileDigest, type VersionProfile } from './profile.js';
export { type DamagedProfile, ProfileStore, type StoredProfile } from './store.js';
