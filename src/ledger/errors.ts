/** An entry cannot be recorded as it is; retrying cannot help. */
export class LedgerEntryError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'LedgerEntryError';
  }
}

/** The stream holds another event under the same id. */
export class LedgerConflictError extends Error {
  readonly stream: string;
  readonly id: string;
  /** Place of the event that is there. */
  readonly sequence: number;

  constructor(stream: string, id: string, sequence: number) {
    super(`Ledger stream ${stream} holds another event under the id ${id}, as number ${sequence}`);
    this.name = 'LedgerConflictError';
    this.stream = stream;
    this.id = id;
    this.sequence = sequence;
  }
}
