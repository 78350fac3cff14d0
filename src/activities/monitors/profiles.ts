import type { HeldProfiles, StoredProfile } from '../../platform/profiles/index.js';
import type { ReadWindow } from '../../platform/windows/monitored.js';
import type { MonitoredProfile } from '../../statistics/monitor/types.js';

/** The reference profiles by which monitors judge. */
export class Profiles {
  readonly #held: HeldProfiles;

  constructor(held: HeldProfiles) {
    this.#held = held;
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
    const counted = [
      ...windows.flatMap(({ late }) => late.map(({ features }) => features)),
      ...windows.map(({ features }) => features),
    ].findLast(({ size }) => size > 0);
    const digests = [...(counted?.keys() ?? [])];
    const wanted = before !== null && digests.includes(before) ? before : (digests[0] ?? before);
    const found =
      wanted === null ? await this.#held.newest(model, champion.digest) : await this.#held.get(wanted);
    return found === null ? null : monitored(found);
  }
}

/** As `scoreFeature` begins what it says; it is the last one. */
const OF_SCORE = 'scores: ';

function monitored({ digest, content: { profile, sources, lacks } }: StoredProfile): MonitoredProfile {
  const predictions = profile.features.flatMap(({ name }, i) =>
    sources[i]?.from === 'output' ? [name] : [],
  );
  const lack = lacks.findLast((text) => text.startsWith(OF_SCORE))?.slice(OF_SCORE.length);
  return { digest, profile, predictions, ...(lack === undefined ? {} : { scoreLack: lack }) };
}
