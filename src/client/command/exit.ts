import { CommanderError } from 'commander';
import { ConfigError } from '../../config.js';
import { TenureError } from '../errors.js';
import type { ReleaseSight } from '../watch.js';

/** Exit codes of the command; scripts rely on them. */
export const Exit = {
  fine: 0,
  /** Failed, refused, not found, rolled back. */
  failed: 1,
  /** Wrong usage, a wrong manifest, a wrong environment. */
  usage: 2,
  /** Temporal, MongoDB or the worker is not reachable. */
  unreachable: 3,
} as const;

export type ExitCode = (typeof Exit)[keyof typeof Exit];

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? Exit.fine : Exit.usage;
  if (error instanceof ConfigError) return Exit.usage;
  if (!(error instanceof TenureError)) return Exit.failed;
  switch (error.code) {
    case 'invalid':
      return Exit.usage;
    case 'unreachable':
      return Exit.unreachable;
    case 'refused':
    case 'not-found':
      return Exit.failed;
  }
}

/** A release that was waited for. */
export const exitCodeOfRelease = ({ stage }: ReleaseSight): ExitCode =>
  stage === 'succeeded' ? Exit.fine : Exit.failed;
