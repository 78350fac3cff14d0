import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until `probe` gives something, or says what it was waiting for. */
export async function until<T>(
  what: string,
  probe: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  ms = 15_000,
): Promise<T> {
  const end = performance.now() + ms;
  for (;;) {
    const found = await probe();
    if (found !== null && found !== undefined && found !== false) return found;
    if (performance.now() > end) throw new Error(`Waited ${ms} ms in vain for ${what}`);
    await sleep(50);
  }
}
