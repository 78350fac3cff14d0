import type { Bench } from './bench.js';
import { mlserver } from './gateway/mlserver.js';
import { p99 } from './gateway/p99.js';
import { slowCandidate } from './gateway/slow-candidate.js';
import { throughput } from './gateway/throughput.js';

/** The gateway beside what somebody would put together without it. */
export const benches: readonly Bench[] = [throughput, p99, slowCandidate, mlserver];
