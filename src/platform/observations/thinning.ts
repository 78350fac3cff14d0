const MINUTE = 60_000;
/** Rows that each step of thinning takes within a minute. */
const STEP_ROWS = 300;
const MOST_LEVEL = 30;

/**
 * Which requests' scores are kept where there are very many: all, then half, then a quarter, by the leading bits of their hash, so that
 * what is kept is a fair sample whatever the scores are. Each step takes 300 rows; a minute begins one step below the last one's end.
 * With steady traffic at most about 600 rows a minute are kept.
 */
export class Thinner {
  #minute = Number.NEGATIVE_INFINITY;
  #level = 0;
  #rows = 0;

  /** @param h of the request, in [0, 1) */
  keeps(h: number, rows: number, now: number): boolean {
    const minute = Math.floor(now / MINUTE);
    if (minute !== this.#minute) {
      // After quiet minutes nothing of the rush is left.
      const passed = minute - this.#minute;
      this.#level = passed > 0 && passed < MOST_LEVEL ? Math.max(0, this.#level - passed) : 0;
      this.#minute = minute;
      this.#rows = 0;
    }
    if (h >= 2 ** -this.#level) return false;
    this.#rows += rows;
    if (this.#rows >= STEP_ROWS) {
      this.#rows = 0;
      this.#level = Math.min(MOST_LEVEL, this.#level + 1);
    }
    return true;
  }
}
