import { isGrpcServiceError, ServiceError, WorkflowUpdateFailedError } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import { MongoNetworkError, MongoServerSelectionError, MongoNotConnectedError } from 'mongodb';
import { BackupError } from '../backup/errors.js';
import type { Problem } from '../manifest/index.js';
import { formatProblems } from '../manifest/index.js';
import { MongoUnusableError, SchemaError } from '../platform/mongo/index.js';
import { ArtifactError } from '../platform/registry/index.js';

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

/**
 * Says in Tenure's words what went wrong in Temporal.
 * @param notFound what to say when the workflow does not exist
 */
export function explain(error: unknown, notFound: string): unknown {
  if (error instanceof TenureError) return error;
  if (error instanceof WorkflowNotFoundError) return new TenureError('not-found', notFound, { cause: error });
  if (error instanceof WorkflowUpdateFailedError) {
    const reason = error.cause instanceof Error ? error.cause.message : error.message;
    const unavailable =
      error.cause !== undefined && 'type' in error.cause && error.cause.type === 'Unavailable';
    return new TenureError(unavailable ? 'unreachable' : 'invalid', reason, { cause: error });
  }
  const service = error instanceof ServiceError ? error.cause : error;
  if (isGrpcServiceError(service)) {
    // Where a query or update waits for a worker that is not there, the server gives up with one of these.
    const idle = [DEADLINE_EXCEEDED, FAILED_PRECONDITION, CANCELLED].includes(service.code);
    const advice = idle
      ? 'no worker answered: is `tenure up` (or the worker) running?'
      : 'Temporal is not reachable';
    return new TenureError('unreachable', `${advice} (${service.details || service.message})`, {
      cause: error,
    });
  }
  return error;
}

const CANCELLED = 1;
const DEADLINE_EXCEEDED = 4;
const FAILED_PRECONDITION = 9;
