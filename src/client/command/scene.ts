import { InvalidArgumentError, type Command } from 'commander';
import { loadConfig, type Config } from '../../config.js';
import { openSession, type Session } from '../session.js';
import type { Tenure } from '../tenure.js';
import { Exit, type ExitCode } from './exit.js';
import { Printer, type Outputs } from './printer.js';

export interface GlobalOptions {
  readonly json?: boolean;
  readonly as?: string;
  readonly color?: boolean;
  readonly timeout?: number;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** What one run of a command works with. */
export class Scene {
  readonly printer: Printer;
  readonly #options: GlobalOptions;
  readonly #env: Environment | undefined;
  #session: Session | undefined;

  constructor(outputs: Outputs, options: GlobalOptions, env: Environment | undefined) {
    this.#options = options;
    this.#env = env;
    const colour = options.color === undefined ? {} : { colour: options.color };
    this.printer = new Printer(outputs, { json: options.json === true, ...colour });
  }

  get config(): Config {
    return this.session.config;
  }

  /** @throws ConfigError */
  get session(): Session {
    const { as, timeout } = this.#options;
    return (this.#session ??= openSession(loadConfig(this.#env), {
      ...(as === undefined ? {} : { actor: as }),
      ...(timeout === undefined ? {} : { patienceMs: timeout * 1000 }),
    }));
  }

  tenure(): Promise<Tenure> {
    return this.session.tenure();
  }

  async close(): Promise<void> {
    await this.#session?.close();
  }
}

type Act<O> = (scene: Scene, args: readonly (string | undefined)[], options: O) => Promise<ExitCode | void>;

/** What the commands are registered with. */
export class Stage {
  readonly #outputs: Outputs;
  readonly #env: Environment | undefined;
  exitCode: ExitCode = Exit.fine;

  constructor(outputs: Outputs, env: Environment | undefined) {
    this.#outputs = outputs;
    this.#env = env;
  }

  /** Makes an action for commander: `act` gets the arguments as given and the command's own options. */
  act<O extends object>(act: Act<O>): (...parameters: unknown[]) => Promise<void> {
    return async (...parameters) => {
      const command = parameters.at(-1) as Command;
      const scene = new Scene(this.#outputs, command.optsWithGlobals(), this.#env);
      try {
        const args = parameters.slice(0, -2) as (string | undefined)[];
        this.exitCode = (await act(scene, args, command.opts<O>())) ?? Exit.fine;
      } finally {
        await scene.close();
      }
    };
  }
}

/** For options and arguments that are whole numbers from 1. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('It must be a whole number from 1.');
  return value;
}

/** For `--timeout`. */
export function seconds(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 3600))
    throw new InvalidArgumentError('It must be a number of seconds, up to 3600.');
  return value;
}

/** For `--until`. @returns ISO 8601, UTC */
export function futureTime(text: string): string {
  const value = Date.parse(text);
  if (Number.isNaN(value)) throw new InvalidArgumentError('It must be a time like 2026-12-31T18:00:00Z.');
  if (value <= Date.now()) throw new InvalidArgumentError('It must be in the future.');
  return new Date(value).toISOString();
}

/** For `--reason`: the record is for somebody who was not there. */
export function someText(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('It must not be empty.');
  if (text.length > 2000) throw new InvalidArgumentError('It must have at most 2,000 characters.');
  return text;
}
