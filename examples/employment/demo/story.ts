/** Tells what happens, with the time since the start, and remembers what did not happen as it should. */
export class Story {
  readonly #start = Date.now();
  readonly #broken: string[] = [];

  chapter(title: string): void {
    this.#write(`\n${this.#time()}  ${title}\n`);
  }

  say(text: string): void {
    for (const line of text.split('\n')) this.#write(`${this.#time()}    ${line}\n`);
  }

  /** A promise of the demo: it ends with an error code when one is not kept. */
  expect(kept: boolean, promise: string): void {
    this.#write(`${this.#time()}    ${kept ? '✔' : '✘'} ${promise}\n`);
    if (!kept) this.#broken.push(promise);
  }

  get broken(): readonly string[] {
    return this.#broken;
  }

  get seconds(): number {
    return Math.round((Date.now() - this.#start) / 1000);
  }

  #time(): string {
    return `${String(this.seconds).padStart(4)} s`;
  }

  #write(text: string): void {
    process.stdout.write(text);
  }
}
