/**
 * Which routing keys were seen in a release, and which guardrails were bad for each: exact up to a bound, then the sample of
 * keys whose identity has `level` leading zero bits. Identities are uniform and the same on all gateways, so is the sample.
 */

/** 48 bits as a number. */
export type KeyIdentity = number;

const BITS = 48;
export const DEFAULT_MAX_KEYS = 20_000;
/** Guardrails that fit into a mask. */
export const MAX_GUARDRAILS = 31;

/** Whether a key belongs to the sample of a level: a share of 2^-level. */
export const isSampled = (identity: KeyIdentity, level: number): boolean => identity < 2 ** (BITS - level);

export class KeyTracker {
  readonly #maxKeys: number;
  /** Identity -> guardrails known to be bad. */
  readonly #keys = new Map<KeyIdentity, number>();
  #level = 0;

  constructor(maxKeys: number = DEFAULT_MAX_KEYS) {
    this.#maxKeys = maxKeys;
  }

  get level(): number {
    return this.#level;
  }

  get size(): number {
    return this.#keys.size;
  }

  /**
   * To be called when a request is assigned, before it runs: requests of one key may end in another order.
   * @returns true when this is the key's first request in the release and the key is in the sample
   */
  begin(identity: KeyIdentity): boolean {
    if (!isSampled(identity, this.#level) || this.#keys.has(identity)) return false;
    this.#keys.set(identity, 0);
    while (this.#keys.size > this.#maxKeys) this.#raise();
    return this.#keys.has(identity);
  }

  /**
   * The outcome of a request, as a mask of the guardrails that it was bad for.
   * @returns those that were bad for this key for the first time; 0 when none, or when the key is not in the sample
   */
  end(identity: KeyIdentity, bad: number): number {
    const known = this.#keys.get(identity);
    if (known === undefined) return 0;
    const fresh = bad & ~known;
    if (fresh !== 0) this.#keys.set(identity, known | bad);
    return fresh;
  }

  #raise(): void {
    this.#level += 1;
    for (const identity of this.#keys.keys()) {
      if (!isSampled(identity, this.#level)) this.#keys.delete(identity);
    }
  }
}

export interface KeyMark {
  readonly identity: KeyIdentity;
  readonly mask: number;
}

const ENTRY = 10;

/** Packs entries as `KeyEvidence` says; those outside the level's sample are left out. */
export function packKeys(marks: readonly KeyMark[], level: number): string {
  const kept = marks.filter(({ identity }) => isSampled(identity, level));
  const bytes = Buffer.alloc(kept.length * ENTRY);
  kept.forEach(({ identity, mask }, i) => {
    bytes.writeUIntBE(identity, i * ENTRY, 6);
    bytes.writeUInt32BE(mask, i * ENTRY + 6);
  });
  return bytes.toString('base64');
}

export function unpackKeys(packed: string): readonly KeyMark[] {
  const bytes = Buffer.from(packed, 'base64');
  return Array.from({ length: Math.floor(bytes.length / ENTRY) }, (_, i) => ({
    identity: bytes.readUIntBE(i * ENTRY, 6),
    mask: bytes.readUInt32BE(i * ENTRY + 6),
  }));
}
