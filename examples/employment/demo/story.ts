/** What one looks back at: a chapter, and how long it took. */
export interface ToldChapter {
  readonly title: string;
  /** Which of the stories that are told at once; empty: there is one. */
  readonly lane: string;
  /** Seconds since the start. */
  readonly from: number;
  /** Null: it is not over. */
  readonly to: number | null;
}

interface Telling {
  readonly start: number;
  readonly promises: { readonly kept: boolean; readonly promise: string }[];
  readonly chapters: {
    readonly title: string;
    readonly lane: string;
    readonly from: number;
    to: number | null;
  }[];
}

/** Tells what happens, with the time since the start, and remembers what did not happen as it should. */
export class Story {
  readonly #lane: string;
  readonly #telling: Telling;

  constructor(lane = '', telling: Telling = { start: Date.now(), promises: [], chapters: [] }) {
    this.#lane = lane;
    this.#telling = telling;
  }

  /** A story that is told at the same time: each of its lines has its name. */
  lane(name: string): Story {
    return new Story(name, this.#telling);
  }

  /** Numbered as they come. */
  chapter(what: string): void {
    const { chapters } = this.#telling;
    this.end();
    const title = `${chapters.length + 1}. ${what}`;
    chapters.push({ title, lane: this.#lane, from: this.seconds, to: null });
    this.heading(title);
  }

  heading(title: string): void {
    this.#write(`\n${this.#time()}  ${this.#mark()}${title}\n`);
  }

  /** The last chapter of this lane is over. */
  end(): void {
    const last = this.#telling.chapters.findLast(({ lane }) => lane === this.#lane);
    if (last !== undefined) last.to ??= this.seconds;
  }

  say(text: string): void {
    for (const line of text.split('\n')) this.#write(`${this.#time()}    ${this.#mark()}${line}\n`);
  }

  /** A promise of the demo: it ends with an error code when one is not kept. */
  expect(kept: boolean, promise: string): void {
    this.#write(`${this.#time()}    ${this.#mark()}${kept ? '✔' : '✘'} ${promise}\n`);
    this.#telling.promises.push({ kept, promise });
  }

  get promised(): number {
    return this.#telling.promises.length;
  }

  get broken(): readonly string[] {
    return this.#telling.promises.filter(({ kept }) => !kept).map(({ promise }) => promise);
  }

  get chapters(): readonly ToldChapter[] {
    return this.#telling.chapters;
  }

  get seconds(): number {
    return Math.round((Date.now() - this.#telling.start) / 1000);
  }

  #mark(): string {
    return this.#lane === '' ? '' : `${this.#lane.padEnd(10)}  `;
  }

  #time(): string {
    return `${String(this.seconds).padStart(4)} s`;
  }

  #write(text: string): void {
    process.stdout.write(text);
  }
}
