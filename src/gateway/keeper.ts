import type { Logger } from 'pino';
import { Binary } from 'mongodb';
import type { VersionRef } from '../contracts/model.js';
import type { RouteMonitoring, RoutingTable } from '../contracts/routes.js';
import type { WindowRole } from '../contracts/windows.js';
import type { PredictionsDocument, SampleDocument } from '../platform/observations/collections.js';
import { identify, LONGEST_REQUEST_ID, sampleId } from '../platform/observations/identity.js';
import type { ObservationStore } from '../platform/observations/store.js';
import { Thinner } from '../platform/observations/thinning.js';
import type { Tensor } from '../platform/onnx/tensors.js';
import { inputsOf, rowsOf, rowValues, scoresOf } from './rows.js';

export interface KeeperSettings {
  readonly gateway: string;
  readonly boot: string;
  readonly store: ObservationStore;
  readonly log: Logger;
  readonly flushMs: number;
  /** Bounds of what waits for the store. */
  readonly maxRows?: number;
  readonly maxSampleBytes?: number;
}

/** A request that somebody got an answer to. */
export interface AnsweredRequest {
  readonly requestId: string;
  readonly ref: VersionRef;
  readonly role: WindowRole;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
}

/** Rows by what became of them. */
export interface KeeperState {
  readonly storing: boolean;
  readonly lastError: string | null;
  readonly predictions: { readonly stored: number; readonly thinned: number; readonly lost: number };
  readonly samples: { readonly stored: number; readonly lost: number };
}

interface Group {
  readonly head: Pick<PredictionsDocument, 'model' | 'version' | 'digest' | 'role' | 'generation'>;
  readonly monitoring: RouteMonitoring;
  readonly from: number;
  to: number;
  readonly ids: string[];
  readonly rows: number[];
  readonly scores: number[];
}

const MAX_ROWS = 200_000;
const MAX_SAMPLE_BYTES = 32 * 1024 * 1024;
/** Of one row: the store takes no document of more than 16 MB. */
const MAX_ROW_BYTES = 1024 * 1024;
/** Requests of one document: whoever looks for one of them reads them all. */
const GROUP_REQUESTS = 250;
const GROUP_ROWS = 20_000;
/** So long a label is told that it is too late, and not that nobody knows its request. */
const AFTERMATH_MS = 86_400_000;

/**
 * Keeps what labels are joined to: the scores of answered requests (fewer when there are very many, see {@link Thinner}), and of a share
 * the inputs too. In memory until the store has it, within bounds; what does not fit, and what was not stored at a crash, is lost, and
 * counted as far as it can be. Serving never waits for it.
 */
export class Keeper {
  readonly #settings: KeeperSettings;
  readonly #thinners = new Map<string, Thinner>();
  readonly #groups = new Map<string, Group>();
  #documents: PredictionsDocument[] = [];
  #samples: SampleDocument[] = [];
  #rows = 0;
  #sampleBytes = 0;
  #sequence = 0;
  #tail: Promise<boolean> = Promise.resolve(true);
  #timer: NodeJS.Timeout | undefined;
  #busy = false;
  #lastError: string | null = null;
  readonly #predictionCounts = { stored: 0, thinned: 0, lost: 0 };
  readonly #sampleCounts = { stored: 0, lost: 0 };

  constructor(settings: KeeperSettings) {
    this.#settings = settings;
  }

  get state(): KeeperState {
    return {
      storing: this.#lastError === null,
      lastError: this.#lastError,
      predictions: { ...this.#predictionCounts },
      samples: { ...this.#sampleCounts },
    };
  }

  answered(table: RoutingTable, request: AnsweredRequest, now: number = Date.now()): void {
    const { monitoring, model } = table;
    if (monitoring === undefined) return;
    const score = request.outputs.find(({ name }) => name === table.scoreOutput);
    const rows = rowsOf(score);
    if (rows > GROUP_ROWS || request.requestId.length > LONGEST_REQUEST_ID) {
      this.#predictionCounts.lost += rows;
      return;
    }
    const { h, identity } = identify(model, request.requestId);
    const sampled = h < monitoring.sampleShare;
    const kept = this.#thinner(model).keeps(h, rows, now) || sampled;
    if (!kept) {
      this.#predictionCounts.thinned += rows;
      return;
    }
    if (this.#rows + rows > (this.#settings.maxRows ?? MAX_ROWS)) {
      this.#predictionCounts.lost += rows;
      return;
    }
    this.#rows += rows;
    const group = this.#group(table, monitoring, request, now);
    group.to = Math.max(group.to, now);
    group.ids.push(identity);
    group.rows.push(rows);
    for (const value of scoresOf(score, rows)) group.scores.push(value);
    if (group.ids.length >= GROUP_REQUESTS || group.scores.length >= GROUP_ROWS) this.#closeGroups(group);
    if (sampled) this.#sample(model, monitoring, request, score, rows, now);
  }

  start(): void {
    this.#timer = setInterval(() => {
      if (this.#busy) return;
      this.#busy = true;
      void this.flush().finally(() => {
        this.#busy = false;
      });
    }, this.#settings.flushMs);
    this.#timer.unref();
  }

  /** Brings all that has been kept up to now into the store. @returns false when the store did not take it; it is tried again later */
  flush(): Promise<boolean> {
    this.#tail = this.#tail.then(() => this.#work());
    return this.#tail;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
  }

  async #work(): Promise<boolean> {
    this.#closeGroups();
    const [predictions, samples] = [this.#documents, this.#samples];
    if (predictions.length + samples.length === 0) return true;
    try {
      await this.#settings.store.keep({ predictions, samples });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (this.#lastError === null) this.#settings.log.warn({ reason }, 'Samples and scores are not stored');
      this.#lastError = reason;
      return false;
    }
    if (this.#lastError !== null) this.#settings.log.info('Samples and scores are stored again');
    this.#lastError = null;
    // Others came meanwhile, behind these.
    this.#documents = this.#documents.slice(predictions.length);
    this.#samples = this.#samples.slice(samples.length);
    const rows = predictions.reduce((sum, document) => sum + rowsIn(document), 0);
    this.#rows -= rows;
    this.#sampleBytes -= samples.reduce((sum, sample) => sum + bytesOf(sample), 0);
    this.#predictionCounts.stored += rows;
    this.#sampleCounts.stored += samples.length;
    return true;
  }

  #sample(
    model: string,
    { personal, sampleSeconds }: RouteMonitoring,
    { requestId, ref, inputs }: AnsweredRequest,
    score: Tensor | undefined,
    rows: number,
    now: number,
  ): void {
    const scores = score === undefined ? null : rowValues(score, rows);
    inputsOf(inputs, rows, new Set(personal)).forEach((values, row) => {
      const sample: SampleDocument = {
        _id: sampleId(model, requestId, row),
        model,
        requestId,
        row,
        version: ref.version,
        digest: ref.digest,
        at: new Date(now),
        inputs: values,
        score: (scores?.[row] ?? null) as SampleDocument['score'],
        label: null,
        labelledAt: null,
        expiresAt: new Date(now + sampleSeconds * 1_000),
      };
      const bytes = bytesOf(sample);
      const room = (this.#settings.maxSampleBytes ?? MAX_SAMPLE_BYTES) - this.#sampleBytes;
      if (bytes > Math.min(room, MAX_ROW_BYTES)) {
        this.#sampleCounts.lost += 1;
        return;
      }
      this.#sampleBytes += bytes;
      this.#samples.push(sample);
    });
  }

  #thinner(model: string): Thinner {
    const known = this.#thinners.get(model);
    if (known !== undefined) return known;
    const fresh = new Thinner();
    this.#thinners.set(model, fresh);
    return fresh;
  }

  #group(
    { model, generation }: RoutingTable,
    monitoring: RouteMonitoring,
    { ref: { version, digest }, role }: AnsweredRequest,
    now: number,
  ): Group {
    const id = `${model}/${generation}/${role}/${digest}`;
    const known = this.#groups.get(id);
    if (known !== undefined) return known;
    const head = { model, version, digest, role, generation };
    const fresh: Group = { head, monitoring, from: now, to: now, ids: [], rows: [], scores: [] };
    this.#groups.set(id, fresh);
    return fresh;
  }

  #closeGroups(only?: Group): void {
    for (const [id, group] of this.#groups) {
      if (only !== undefined && group !== only) continue;
      this.#groups.delete(id);
      this.#documents.push(this.#document(group));
    }
  }

  #document({ head, monitoring, from, to, ids, rows, scores }: Group): PredictionsDocument {
    this.#sequence += 1;
    const { gateway, boot } = this.#settings;
    const labelsUntil = to + monitoring.labelSeconds * 1_000;
    return {
      _id: `${gateway}/${boot}/${this.#sequence}`,
      ...head,
      from: new Date(from),
      to: new Date(to),
      labelsUntil: new Date(labelsUntil),
      expiresAt: new Date(labelsUntil + AFTERMATH_MS),
      ids,
      rows,
      scores: packScores(scores),
    };
  }
}

function packScores(scores: readonly number[]): Binary {
  const bytes = Buffer.alloc(8 * scores.length);
  scores.forEach((score, i) => bytes.writeDoubleLE(score, 8 * i));
  return new Binary(bytes);
}

const rowsIn = ({ rows }: PredictionsDocument): number => rows.reduce((sum, count) => sum + count, 0);

/** About what a sample takes in memory. */
function bytesOf({ requestId, inputs }: SampleDocument): number {
  let bytes = 300 + 2 * requestId.length;
  for (const value of Object.values(inputs)) {
    for (const one of Array.isArray(value) ? value : [value])
      bytes += 48 + (typeof one === 'string' ? 2 * one.length : 0);
  }
  return bytes;
}
