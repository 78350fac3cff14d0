import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadResult, OpenLoad } from './load.js';

interface Sent {
  /** `performance.now()` at which it was due. */
  readonly due: number;
  readonly timed: boolean;
}

/** Answers are awaited so long after the last request. */
const PATIENCE_MS = 30_000;

/** Requests wait for a free connection when there is none; their time runs on meanwhile. */
export async function openLoop(job: OpenLoad): Promise<LoadResult> {
  const { rate, seconds, settleSeconds, connections } = job;
  const texts = job.requests.map((request) => textOf(job, request));
  const results = {
    answered: 0,
    bad: 0,
    complaint: undefined as string | undefined,
    latencies: [] as number[],
  };
  const waiting: { readonly text: string; readonly sent: Sent }[] = [];
  const lines = await Promise.all(
    Array.from({ length: connections }, () =>
      Line.open(job, (sent, { good, timed, text }) => {
        if (good) results.answered += 1;
        else {
          results.bad += 1;
          results.complaint ??= text;
        }
        if (good && timed && sent.timed) results.latencies.push(performance.now() - sent.due);
        dispatch();
      }),
    ),
  );
  const dispatch = (): void => {
    while (waiting.length > 0) {
      const free = lines.find((line) => line.free);
      const next = free === undefined ? undefined : waiting.shift();
      if (free === undefined || next === undefined) return;
      free.send(next.text, next.sent);
    }
  };
  const began = performance.now();
  const total = Math.round(rate * seconds);
  for (let n = 0; n < total;) {
    const elapsed = (performance.now() - began) / 1_000;
    for (; n < total && n / rate <= elapsed; n += 1) {
      const sent = { due: began + (n / rate) * 1_000, timed: n / rate >= settleSeconds };
      waiting.push({ text: texts[n % texts.length] ?? '', sent });
    }
    dispatch();
    await sleep(1);
  }
  const end = performance.now() + PATIENCE_MS;
  while (results.answered + results.bad < total && performance.now() < end) await sleep(5);
  for (const line of lines) line.close();
  const perSecond = results.answered / ((performance.now() - began) / 1_000);
  const complaint = results.complaint ?? 'No answer came';
  return { ...results, bad: total - results.answered, complaint, perSecond };
}

function textOf({ url, path }: OpenLoad, { headers, body }: OpenLoad['requests'][number]): string {
  const all = {
    host: new URL(url).host,
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    ...headers,
  };
  const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${path} HTTP/1.1\r\n${head.join('')}\r\n${body}`;
}

interface Answer {
  readonly good: boolean;
  readonly timed: boolean;
  /** First line and body. */
  readonly text: string;
}
type OnAnswer = (sent: Sent, answer: Answer) => void;

/** One kept connection with one request at a time. Reads what these servers write: a head and a body of a told length. */
class Line {
  readonly #socket: Socket;
  readonly #wanted: readonly string[];
  readonly #onAnswer: OnAnswer;
  #sent: Sent | null = null;
  #text = '';
  #closed = false;

  private constructor(socket: Socket, timed: OpenLoad['timed'], onAnswer: OnAnswer) {
    this.#socket = socket;
    this.#onAnswer = onAnswer;
    this.#wanted = Object.entries(timed).map(([name, value]) => `\r\n${name}: ${value}\r\n`);
    socket.setNoDelay(true);
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => this.#take(chunk));
    socket.on('error', () => this.#lost());
    socket.on('close', () => this.#lost());
  }

  static async open({ url, timed }: OpenLoad, onAnswer: OnAnswer): Promise<Line> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    return new Line(socket, timed, onAnswer);
  }

  get free(): boolean {
    return this.#sent === null && !this.#closed;
  }

  send(text: string, sent: Sent): void {
    this.#sent = sent;
    this.#socket.write(text);
  }

  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  #take(chunk: string): void {
    this.#text += chunk;
    const headEnd = this.#text.indexOf('\r\n\r\n');
    if (headEnd < 0) return;
    const head = this.#text.slice(0, headEnd + 2);
    const length = Number(/\r\ncontent-length: (\d+)\r\n/i.exec(head)?.[1]);
    if (!(this.#text.length >= headEnd + 4 + length)) return;
    const body = this.#text.slice(headEnd + 4, headEnd + 4 + length);
    this.#text = this.#text.slice(headEnd + 4 + length);
    const good = head.startsWith('HTTP/1.1 2');
    const timed = this.#wanted.every((line) => head.includes(line));
    this.#answer(good, timed, `${head.slice(0, head.indexOf('\r\n'))} ${body}`);
  }

  #answer(good: boolean, timed: boolean, text: string): void {
    const sent = this.#sent;
    this.#sent = null;
    if (sent !== null) this.#onAnswer(sent, { good, timed, text });
  }

  #lost(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#answer(false, false, 'The connection was cut');
  }
}
