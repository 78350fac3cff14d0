import type { Bench } from './bench.js';
import { features } from './windows/features.js';

/** What it costs to count what monitors need. */
export const benches: readonly Bench[] = [features];
