import type { ProfileStore, StoredProfile } from './store.js';

/** Of 16 features each has about 20 kB: enough for the profiles of ten thousand such models. */
const MOST_BYTES = 320 * 1024 * 1024;

/** Reference profiles, those used last held in memory: what a digest stands for never changes, and reading one takes milliseconds. */
export class HeldProfiles {
  readonly #store: ProfileStore;
  readonly #mostBytes: number;
  readonly #held = new Map<string, { readonly profile: StoredProfile; readonly bytes: number }>();
  #bytes = 0;

  constructor(store: ProfileStore, mostBytes = MOST_BYTES) {
    this.#store = store;
    this.#mostBytes = mostBytes;
  }

  /** @throws ProfileError when it is damaged */
  async get(digest: string): Promise<StoredProfile | null> {
    const held = this.#held.get(digest);
    if (held !== undefined) {
      this.#held.delete(digest);
      this.#held.set(digest, held);
      return held.profile;
    }
    const found = await this.#store.get(digest);
    if (found !== null) this.#hold(found);
    return found;
  }

  /** The newest profile of a version, by the digest of its artifact. @throws ProfileError when it is damaged */
  async newest(model: string, artifact: string): Promise<StoredProfile | null> {
    const digest = await this.#store.newestDigest(model, artifact);
    return digest === null ? null : this.get(digest);
  }

  #hold(profile: StoredProfile): void {
    const bytes = bytesOf(profile);
    // Two may have read it at once.
    this.#bytes += bytes - (this.#held.get(profile.digest)?.bytes ?? 0);
    this.#held.set(profile.digest, { profile, bytes });
    for (const [oldest, { bytes: freed }] of this.#held) {
      if (this.#bytes <= this.#mostBytes || oldest === profile.digest) break;
      this.#held.delete(oldest);
      this.#bytes -= freed;
    }
  }
}

/** About what plain JSON takes in memory. */
function bytesOf(value: unknown): number {
  if (typeof value === 'string') return 16 + value.length;
  if (typeof value !== 'object' || value === null) return 8;
  let bytes = 32;
  for (const part of Object.values(value)) bytes += bytesOf(part);
  return bytes;
}
