/** Input of `monitorShard`, and what it carries over when it continues as new. */
export interface MonitorShardInput {
  /** From 0. */
  readonly shard: number;
  /** Between two ticks, until the first one says otherwise. */
  readonly seconds: number;
  /** Among which models are shared out, the same. Absent from older workers. */
  readonly shards?: number;
  /** Of the next tick, epoch milliseconds; absent: by the clock. */
  readonly next?: number;
  /** Tests lower it: continue as new after so many events of history. */
  readonly historyLimit?: number;
}

export interface EvaluateShardInput {
  readonly shard: number;
}

/** What a tick did. Bounded. */
export interface ShardReport {
  /** As the worker that did the tick is set: another number takes effect from the next tick on. 0 seconds: no monitors. */
  readonly shards: number;
  readonly seconds: number;
  /** Models of the shard. */
  readonly models: number;
  /** Those that had a closed window. */
  readonly evaluated: number;
  /** New findings that matter. */
  readonly found: number;
  /** Models whose workflow was told. */
  readonly told: number;
  /** Models that could not be evaluated, with the reason; at most 20. */
  readonly failed: readonly { readonly model: string; readonly reason: string }[];
  /** Shards of which nothing has been heard for too long. */
  readonly silent: readonly number[];
}

/** For the waiting task queue: they read much, and nothing that has to be quick waits for them. */
export interface MonitorActivities {
  /** Evaluates every model of the shard that has a closed window, stores, records and tells what was found. */
  evaluateShard(input: EvaluateShardInput): Promise<ShardReport>;
}
