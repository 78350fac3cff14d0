import proto from '@temporalio/proto';

/** Folders of whoever recorded it, or of a run of the tests. */
const OF_A_MACHINE = /\/(?:home|root|work|tmp|Users|private)\/[^"\s]*/g;

/**
 * The bytes of a history to be stored beside the others. Stack traces are left out: replaying does not read them, and they name
 * folders of the machine.
 * @throws Error when something else names one
 */
export function storedHistory(history: proto.temporal.api.history.v1.IHistory): Uint8Array {
  const { History } = proto.temporal.api.history.v1;
  const copy = History.decode(History.encode(history).finish());
  forgetStacks(copy);
  const bytes = History.encode(copy).finish();
  const [folder] = placesIn(bytes);
  if (folder !== undefined) throw new Error(`The history names ${folder}: record one that does not`);
  return bytes;
}

/** Folders of a machine that a stored history names. */
export const placesIn = (bytes: Uint8Array): readonly string[] =>
  Buffer.from(bytes).toString('latin1').match(OF_A_MACHINE) ?? [];

function forgetStacks(value: object): void {
  for (const [name, inner] of Object.entries(value) as [string, unknown][]) {
    if (name === 'stackTrace') (value as Record<string, unknown>)[name] = '';
    else if (typeof inner === 'object' && inner !== null && !ArrayBuffer.isView(inner)) forgetStacks(inner);
  }
}
