import type { Logger } from 'pino';
import type { StoredProfile } from '../platform/profiles/index.js';
import { FeatureReader } from './features.js';
import type { ModelRoutes } from './model-routes.js';
import type { Slot } from './slots.js';

/** The part of the profile store that a gateway uses. */
export interface ProfileSource {
  newestOf(
    versions: readonly { readonly model: string; readonly artifact: string }[],
    damaged: (error: Error) => void,
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

/** A version that has none may get one when it is validated again: looks until it is asked for again. */
const ASK_AGAIN = 12;
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
  #error: string | null = null;

  constructor(settings: ProfilesSettings) {
    this.#settings = settings;
  }

  get state(): ProfilesState {
    let [counted, uncounted] = [0, 0];
    for (const { slot } of this.#slots()) {
      if (slot.features === null) uncounted += 1;
      else counted += 1;
    }
    return { counted, uncounted, error: this.#error };
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

  #slots(): readonly { readonly model: string; readonly slot: Slot }[] {
    return [...this.#settings.models()].flatMap(([model, routes]) =>
      routes.slots().map((slot) => ({ model, slot })),
    );
  }

  async #look(): Promise<void> {
    const now = performance.now();
    const lacking = this.#slots().filter(({ slot }) => slot.features === null);
    const due = lacking.filter(({ slot }) => (this.#asked.get(slot) ?? 0) <= now);
    // Those that are asked for later may still have what was wrong.
    if (due.length === 0 && lacking.length > 0) return;
    try {
      let problem: string | null = null;
      for (let i = 0; i < due.length; i += CHUNK)
        problem = (await this.#bring(due.slice(i, i + CHUNK))) ?? problem;
      if (problem === null && this.#error !== null) this.#settings.log.info('Profiles can be read again');
      this.#error = problem;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (this.#error === null)
        this.#settings.log.warn(
          { reason },
          'Profiles cannot be read: features of these versions are not counted',
        );
      this.#error = reason;
    }
  }

  /** @returns why one of them could not be used */
  async #bring(due: readonly { readonly model: string; readonly slot: Slot }[]): Promise<string | null> {
    const { source, log, everyMs } = this.#settings;
    let problem: string | null = null;
    const versions = due.map(({ model, slot }) => ({ model, artifact: slot.ref.digest }));
    const found = await source.newestOf(versions, (error) => {
      log.error({ reason: error.message }, 'A profile cannot be used');
      problem = error.message;
    });
    for (const { model, slot } of due) {
      const profile = found.find(
        ({ content }) => content.model === model && content.artifact === slot.ref.digest,
      );
      if (profile !== undefined) slot.features = new FeatureReader(profile);
      else this.#asked.set(slot, performance.now() + ASK_AGAIN * everyMs);
    }
    return problem;
  }
}
