import {
  isGrpcServiceError,
  ServiceError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import { MongoNetworkError, MongoServerSelectionError, MongoNotConnectedError } from 'mongodb';
import { BackupError } from '../backup/errors.js';
import type { Problem } from '../manifest/index.js';
import { formatProblems } from '../manifest/index.js';
import { MongoUnusableError, SchemaError } from '../platform/mongo/index.js';
import { ArtifactError } from '../platform/registry/index.js';
import { isUnreplayed, UNPROCESSED } from './unprocessed.js';

/** Why a call to Tenure did not do what was asked; the command's exit codes follow it. */
export type TenureErrorCode =
  /** Decided against, for a reason that is on the record. */
  | 'refused'
  /** No such model, release or version. */
  | 'not-found'
  /** The request itself is wrong. */
  | 'invalid'
  /** Temporal, MongoDB or the worker is not reachable. */
  | 'unreachable';

/** The one error of the client library; the message says what to do next. */
export class TenureError extends Error {
  override readonly name = 'TenureError';
  readonly code: TenureErrorCode;

  constructor(code: TenureErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A model.yaml that cannot be applied: every problem with its place in the file. */
export class ManifestError extends TenureError {
  readonly problems: readonly Problem[];

  constructor(file: string, problems: readonly Problem[]) {
    super('invalid', formatProblems(problems, file));
    this.problems = problems;
  }
}

/** Says in Tenure's words what went wrong in MongoDB or the artifact store. */
export function explainStorage(error: unknown): unknown {
  if (error instanceof MongoUnusableError)
    return new TenureError('unreachable', error.message, { cause: error });
  if (
    error instanceof MongoNetworkError ||
    error instanceof MongoServerSelectionError ||
    error instanceof MongoNotConnectedError
  )
    return new TenureError('unreachable', `MongoDB is not reachable: ${error.message}`, { cause: error });
  if (error instanceof BackupError) return new TenureError('refused', error.message, { cause: error });
  if (error instanceof SchemaError) return new TenureError('refused', error.message, { cause: error });
  if (error instanceof ArtifactError) return new TenureError('refused', error.message, { cause: error });
  return error;
}

/** How a message begins when nobody answered in time. */
export const NO_WORKER = 'no worker answered';

/** How a message begins when nothing could be sent. */
export const NOT_REACHABLE = 'Temporal is not reachable';

/**
 * Says in Tenure's words what went wrong in Temporal.
 * @param notFound what to say when the workflow does not exist
 */
export function explain(error: unknown, notFound: string): unknown {
  if (error instanceof TenureError) return error;
  if (error instanceof WorkflowNotFoundError) return new TenureError('not-found', notFound, { cause: error });
  if (error instanceof WorkflowUpdateFailedError) {
    const reason = error.cause instanceof Error ? error.cause.message : error.message;
    const type = error.cause !== undefined && 'type' in error.cause ? error.cause.type : null;
    const passes = PASSING.some((passing) => passing === type);
    return new TenureError(passes ? 'unreachable' : 'invalid', reason, { cause: error });
  }
  if (isUnreplayed(error))
    return new TenureError(
      'unreachable',
      `the worker could not replay the history of this workflow: try again in a moment; if it stays so, the worker's build does not fit what runs, and the former or a fixed build goes on with it (${(error as Error).message})`,
      { cause: error },
    );
  // An update that is given up comes in a class of its own, around the same failure of the call.
  const isWrapped =
    error instanceof ServiceError || error instanceof WorkflowUpdateRPCTimeoutOrCancelledError;
  const service = isWrapped ? error.cause : error;
  if (isFlooded(error))
    return new TenureError(
      'unreachable',
      'the workflow has got more messages than the server takes in one run: send it again in a moment, or abort the release (`tenure release abort`), which gets through',
      { cause: error },
    );
  if (isGrpcServiceError(service)) {
    if ([RESOURCE_EXHAUSTED].includes(service.code) || GIVEN_UP.test(service.details))
      return new TenureError(
        'unreachable',
        `Temporal is busy with other requests: try again in a moment (${service.details || service.message})`,
        { cause: error },
      );
    // Where a query or update waits for a worker that is not there, the server gives up with one of these.
    const idle = [DEADLINE_EXCEEDED, FAILED_PRECONDITION, CANCELLED].includes(service.code);
    const advice =
      idle && !NEVER_SENT.test(service.details)
        ? `${NO_WORKER}: is \`tenure up\` (or the worker) running? If it is only busy, the same request can be sent again`
        : NOT_REACHABLE;
    return new TenureError('unreachable', `${advice} (${service.details || service.message})`, {
      cause: error,
    });
  }
  return error;
}

/** Of the worker, which may not act now; of the server, when a worker ended its task without a word on the update. Nothing was done. */
const PASSING = ['Unavailable', UNPROCESSED] as const;

/** What the call's library says when it ran out of time without a connection. */
const NEVER_SENT = /Waiting for LB pick/;

/** A Temporal that is busy drops an update that it had taken, and says so with the code of one that is not there. */
const GIVEN_UP = /workflow update was aborted/;

/** The server takes so many signals and updates in one run of a workflow, and refuses the rest until the next run. */
export function isFlooded(error: unknown): boolean {
  const service = error instanceof ServiceError ? error.cause : error;
  if (!isGrpcServiceError(service)) return false;
  return /exceeded workflow execution limit|limit on the total number of distinct updates/.test(
    service.details,
  );
}

const CANCELLED = 1;
const DEADLINE_EXCEEDED = 4;
const RESOURCE_EXHAUSTED = 8;
const FAILED_PRECONDITION = 9;
