import type { Bench } from './bench.js';
import { throughput } from './gateway/throughput.js';

/** The gateway beside what somebody would put together without it. */
export const benches: readonly Bench[] = [throughput];
