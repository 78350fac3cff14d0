import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import type { TrainingLog } from '../platform.js';

const HEAD_BYTES = 8 * 1024;
const TAIL_BYTES = 8 * 1024;
/** A longer line is no progress line. */
const LONGEST_LINE = 4 * 1024;

/** Keeps the beginning and the end of what comes, and how much there was. */
export class BoundedLog {
  #head = Buffer.alloc(0);
  #tail = Buffer.alloc(0);
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  add(part: Buffer): void {
    this.#bytes += part.length;
    const room = HEAD_BYTES - this.#head.length;
    if (room > 0) this.#head = Buffer.concat([this.#head, part.subarray(0, room)]);
    const rest = part.subarray(Math.max(0, room));
    if (rest.length > 0)
      this.#tail = Buffer.concat([this.#tail, rest.subarray(-TAIL_BYTES)]).subarray(-TAIL_BYTES);
  }

  toLog(): TrainingLog {
    const cutBytes = this.#bytes - this.#head.length - this.#tail.length;
    return { head: this.#head.toString('utf8'), tail: this.#tail.toString('utf8'), cutBytes };
  }
}

/** Calls `onLine` for each whole line, without its end; of lines that are too long, not at all. */
export function lineReader(onLine: (line: string) => void): (part: Buffer) => void {
  const decoder = new StringDecoder('utf8');
  let line = '';
  let tooLong = false;
  const add = (text: string): void => {
    tooLong ||= line.length + text.length > LONGEST_LINE;
    line = tooLong ? '' : line + text;
  };
  return (part) => {
    const [first = '', ...others] = decoder.write(part).split('\n');
    add(first);
    for (const next of others) {
      if (!tooLong) onLine(line.trimEnd());
      line = '';
      tooLong = false;
      add(next);
    }
  };
}

/** Bytes that are read of a stream in one stretch of time; a trainer that writes more waits, not the worker's other work. */
const BYTES_A_STRETCH = 512 * 1024;
const STRETCH_MS = 100;

/** Reads a stream to its end, no faster than a worker can bear. */
export function readSlowly(stream: Readable, onPart: (part: Buffer) => void): void {
  let left = BYTES_A_STRETCH;
  let timer: NodeJS.Timeout | null = null;
  stream.on('data', (part: Buffer) => {
    onPart(part);
    left -= part.length;
    if (left > 0 || timer !== null) return;
    stream.pause();
    timer = setTimeout(() => {
      timer = null;
      left = BYTES_A_STRETCH;
      stream.resume();
    }, STRETCH_MS);
  });
  // Broken off with its process.
  stream.on('error', () => undefined);
}
