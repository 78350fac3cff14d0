import type { Logger } from 'pino';
import type { DamagedProfile, StoredProfile } from '../platform/profiles/index.js';
import { FeatureReader } from './features.js';
import type { ModelRoutes } from './model-routes.js';
import type { Slot } from './slots.js';

/** The part of the profile store that a gateway uses. */
export interface ProfileSource {
  newestOf(
    versions: readonly { readonly model: string; readonly artifact: string }[],
    damaged: (what: DamagedProfile) => void,
  ): Promise<readonly StoredProfile[]>;
}

export interface ProfilesSettings {
  readonly source: ProfileSource;
  readonly models: () => ReadonlyMap<string, ModelRoutes>;
  /** Between two looks at what was loaded, milliseconds. */
  readonly everyMs: number;
  readonly log: Logger;
}

export interface ProfilesState {
  /** Loaded versions whose features are counted, and whose are not. */
  readonly counted: number;
  readonly uncounted: number;
  /** Why the store could not be read, or a profile not be used; null when all is well. */
  readonly error: string | null;
}

interface Loaded {
  readonly model: string;
  readonly slot: Slot;
}

/** Looks until a version is asked for again: one that has none may get one, and one that has may get a newer when it is validated again. */
const LOOKS = { without: 12, with: 120 } as const;
/** Profiles asked for at a time. */
const CHUNK = 50;

/**
 * Brings loaded versions their profiles, off the way of requests: until a version has one it serves all the same, and its features
 * are not counted. What cannot be read is tried again for ever.
 */
export class Profiles {
  readonly #settings: ProfilesSettings;
  /** When a slot may be asked for again. */
  readonly #asked = new WeakMap<Slot, number>();
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<void> = Promise.resolve();
  /** Why the store could not be read the last time. */
  #away: string | null = null;
  /** Why a version's profile cannot be used. */
  readonly #problems = new WeakMap<Slot, string | null>();

  constructor(settings: ProfilesSettings) {
    this.#settings = settings;
  }

  get state(): ProfilesState {
    const slots = this.#slots();
    const counted = slots.filter(({ slot }) => slot.features !== null).length;
    const [damaged = null] = slots.flatMap(({ slot }) => this.#problems.get(slot) ?? []);
    return { counted, uncounted: slots.length - counted, error: this.#away ?? damaged };
  }

  start(): void {
    const next = (): void => {
      this.#turn = this.#look().finally(() => {
        this.#timer = setTimeout(next, this.#settings.everyMs);
        this.#timer.unref();
      });
    };
    next();
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#turn;
    clearTimeout(this.#timer);
  }

  #slots(): readonly Loaded[] {
    return [...this.#settings.models()].flatMap(([model, routes]) =>
      routes.slots().map((slot) => ({ model, slot })),
    );
  }

  async #look(): Promise<void> {
    const { log } = this.#settings;
    const now = performance.now();
    const due = this.#slots().filter(({ slot }) => (this.#asked.get(slot) ?? 0) <= now);
    if (due.length === 0) return;
    try {
      for (let i = 0; i < due.length; i += CHUNK) await this.#bring(due.slice(i, i + CHUNK));
      if (this.#away !== null) log.info('Profiles can be read again');
      this.#away = null;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (this.#away === null) log.warn({ reason }, 'Profiles cannot be read');
      this.#away = reason;
    }
  }

  async #bring(due: readonly Loaded[]): Promise<void> {
    const { source, log, everyMs } = this.#settings;
    const versions = due.map(({ model, slot }) => ({ model, artifact: slot.ref.digest }));
    const damaged = new Map<string, string>();
    const found = await source.newestOf(versions, ({ model, artifact, message }) => {
      log.error({ model, reason: message }, 'A profile cannot be used');
      damaged.set(`${model}/${artifact}`, message);
    });
    for (const { model, slot } of due) {
      const { digest } = slot.ref;
      const profile = found.find(({ content }) => content.model === model && content.artifact === digest);
      if (profile !== undefined && profile.digest !== slot.features?.digest)
        slot.features = new FeatureReader(profile);
      this.#problems.set(slot, damaged.get(`${model}/${digest}`) ?? null);
      const looks = profile === undefined ? LOOKS.without : LOOKS.with;
      this.#asked.set(slot, performance.now() + looks * everyMs);
    }
  }
}
