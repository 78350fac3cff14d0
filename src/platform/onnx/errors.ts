/**
 * Why a model could not be loaded or a call could not be answered:
 * - `digest-mismatch`, `load-failed`: the file is not what was named, or ONNX Runtime cannot use it (final);
 * - `wrong-input`: the caller's fault; `field` names what is wrong, e.g. `inputs[0].shape`;
 * - `run-failed`: the model's fault, on this input;
 * - `deadline`: not answered in time; `overloaded`: too many calls wait;
 * - `unavailable`: the thread is gone and could not be replaced yet; `closed`: it was closed by its owner.
 */
export type ModelErrorCode =
  | 'digest-mismatch'
  | 'load-failed'
  | 'wrong-input'
  | 'run-failed'
  | 'deadline'
  | 'overloaded'
  | 'unavailable'
  | 'closed';

export class ModelError extends Error {
  readonly code: ModelErrorCode;
  /** Set for `wrong-input`. */
  readonly field: string | undefined;

  constructor(code: ModelErrorCode, message: string, field?: string) {
    super(message);
    this.name = 'ModelError';
    this.code = code;
    this.field = field;
  }
}

export const wrongInput = (field: string, message: string): ModelError =>
  new ModelError('wrong-input', `${field}: ${message}`, field);
