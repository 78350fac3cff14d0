import { ApplicationFailure } from '@temporalio/common';
import { MongoError } from 'mongodb';
import { FailureType, type FailureTypeName } from '../contracts/failures.js';
import { CanonicalError, LedgerConflictError, LedgerEntryError } from '../ledger/index.js';
import { ArtifactError } from '../platform/registry/index.js';
import { OvertakenError, StaleGenerationError } from '../platform/serving/index.js';

/** A failure that no retry can mend. */
export const refusal = (
  type: FailureTypeName,
  message: string,
  cause?: unknown,
  details?: unknown[],
): ApplicationFailure =>
  ApplicationFailure.create({
    type,
    message,
    nonRetryable: true,
    ...(details === undefined ? {} : { details }),
    ...(cause instanceof Error ? { cause } : {}),
  });

/** A traffic change that was written and is not seen everywhere yet. */
export const notConfirmed = (message: string): ApplicationFailure =>
  ApplicationFailure.create({ type: FailureType.NotConfirmed, message, nonRetryable: false });

/** Errors of the driver often do not say whose they are: people read this in an alert. */
const ofMongoDb = (error: Error): ApplicationFailure =>
  ApplicationFailure.create({
    type: FailureType.StoreAway,
    message: `MongoDB did not do what was asked: ${error.message}`,
    nonRetryable: false,
    cause: error,
  });

/** The libraries' errors as the types that workflows know; everything else as it is, to be retried. */
function asFailure(error: unknown): unknown {
  if (error instanceof LedgerConflictError) return refusal(FailureType.LedgerConflict, error.message, error);
  if (error instanceof LedgerEntryError || error instanceof CanonicalError) {
    return refusal(FailureType.InvalidInput, error.message, error);
  }
  if (error instanceof StaleGenerationError || error instanceof OvertakenError)
    return refusal(FailureType.StaleGeneration, error.message, error);
  if (error instanceof ArtifactError) return refusal(FailureType.ArtifactInvalid, error.message, error);
  if (error instanceof MongoError) return ofMongoDb(error);
  return error;
}

/** Runs with the libraries' errors turned into typed failures. */
export async function withFailures<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw asFailure(error);
  }
}
