/** Why a backup or a restore did not do what was asked. */
export type BackupErrorCode =
  /** A file of the backup is not what was written. */
  | 'damaged'
  /** This is no backup, or one that this program cannot read. */
  | 'unreadable'
  /** Something stands in the way; nothing was changed. */
  | 'refused'
  /** The disk, or the quota, is full. */
  | 'no-room';

/** The message names the file or the place, and says what to do next. */
export class BackupError extends Error {
  override readonly name = 'BackupError';
  readonly code: BackupErrorCode;

  constructor(code: BackupErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A full disk, a quota, a limit on the size of files: to whoever writes a backup all the same. */
const NO_ROOM = ['ENOSPC', 'EDQUOT', 'EFBIG'];

/** The error, or where it is about a full disk one that says so. @param folder what was being written */
export function explainRoom(error: unknown, folder: string): unknown {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  if (typeof code !== 'string' || !NO_ROOM.includes(code)) return error;
  const message = `There is no room left for ${folder} (${code}): nothing was kept of it; make room, or choose another folder`;
  return new BackupError('no-room', message, { cause: error });
}
