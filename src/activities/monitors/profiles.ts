import type { ProfileStore } from '../../platform/profiles/index.js';
import type { ReadWindow } from '../../platform/windows/monitored.js';
import type { MonitoredProfile } from '../../statistics/monitor/types.js';

/** Of 16 features each has about 25 kB. */
const HELD_MOST = 500;

/** Reference profiles by digest, those used last held in memory. */
export class Profiles {
  readonly #store: ProfileStore;
  readonly #held = new Map<string, MonitoredProfile>();

  constructor(store: ProfileStore) {
    this.#store = store;
  }

  /**
   * The one in whose bins the newest windows were counted; without any, the version's newest.
   * @throws ProfileError when it is damaged
   */
  async of(
    { model, champion }: { readonly model: string; readonly champion: { readonly digest: string } },
    windows: readonly ReadWindow[],
    before: string | null,
  ): Promise<MonitoredProfile | null> {
    const counted = windows.findLast(({ features }) => features.size > 0);
    const digests = counted === undefined ? [] : [...counted.features.keys()];
    const wanted = before !== null && digests.includes(before) ? before : digests[0];
    if (wanted !== undefined) return this.#get(wanted);
    if (before !== null) return this.#get(before);
    const newest = await this.#store.newest(model, champion.digest);
    return newest === null ? null : this.#hold(newest.digest, newest.content);
  }

  async #get(digest: string): Promise<MonitoredProfile | null> {
    const held = this.#held.get(digest);
    if (held !== undefined) {
      this.#held.delete(digest);
      this.#held.set(digest, held);
      return held;
    }
    const found = await this.#store.get(digest);
    return found === null ? null : this.#hold(digest, found.content);
  }

  #hold(
    digest: string,
    content: NonNullable<Awaited<ReturnType<ProfileStore['get']>>>['content'],
  ): MonitoredProfile {
    const { profile, sources } = content;
    const predictions = profile.features.flatMap(({ name }, i) =>
      sources[i]?.from === 'output' ? [name] : [],
    );
    const held = { digest, profile, predictions };
    this.#held.set(digest, held);
    const [oldest] = this.#held.keys();
    if (this.#held.size > HELD_MOST && oldest !== undefined) this.#held.delete(oldest);
    return held;
  }
}
