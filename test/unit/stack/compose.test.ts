import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { SEARCH_ATTRIBUTE_NAMES } from '../../../src/contracts/search-attributes.js';

interface Service {
  readonly image?: string;
  readonly build?: string;
  readonly command?: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly restart?: string;
  readonly privileged?: boolean;
  readonly network_mode?: string;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly environment?: Readonly<Record<string, string>>;
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const root = new URL('../../../', import.meta.url);
const text = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const compose = parse(text('docker-compose.yml'), { merge: true }) as Compose;
const services = Object.entries(compose.services);
const schema = createRequire(import.meta.url)('../../support/compose-spec/compose-spec.json') as object;
// Durations and ports are checked by their patterns; Docker's own formats are none of JSON Schema's.
const validate = new Ajv2020({ strict: false, allErrors: true, validateFormats: false }).compile(schema);

describe('docker-compose.yml', () => {
  it('agrees with the schema of the Compose Specification', () => {
    assert.equal(validate(compose), true, JSON.stringify(validate.errors, null, 2));
  });

  it('would not, with a misspelt field or a wrong type', () => {
    for (const wrong of [
      { imge: 'x' },
      { image: 'x', ports: 'all' },
      { image: 'x', healthcheck: { tset: [] } },
    ]) {
      assert.equal(validate({ services: { wrong } }), false, JSON.stringify(wrong));
    }
  });

  it('has Temporal, its UI, PostgreSQL, MongoDB, worker and gateway', () => {
    for (const name of ['temporal', 'temporal-ui', 'postgres', 'mongo', 'worker', 'gateway']) {
      assert.ok(name in compose.services, name);
    }
  });

  it('publishes ports on loopback only, each once', () => {
    const ports = services.flatMap(([, service]) => service.ports ?? []);
    assert.ok(ports.length > 0);
    for (const port of ports) assert.match(port, /^127\.0\.0\.1:\d+:\d+$/);
    assert.equal(new Set(ports.map((port) => port.split(':')[1])).size, ports.length);
    for (const [name, service] of services) {
      assert.equal(service.network_mode, undefined, name);
      assert.equal(service.privileged, undefined, name);
    }
  });

  it('pins every image that it does not build', () => {
    for (const [name, { image, build }] of services) {
      if (build === undefined) assert.match(image ?? '', /^[a-z/-]+:\d+\.\d+(\.\d+)?(-[a-z]+)?$/, name);
    }
  });

  it('waits for what is there and can be waited for', () => {
    for (const [name, { depends_on: needs }] of services) {
      for (const [other, { condition }] of Object.entries(needs ?? {})) {
        const needed = compose.services[other];
        assert.ok(needed, `${name} waits for ${other}`);
        if (condition === 'service_healthy') assert.ok(needed.healthcheck, `${other} has no health check`);
        else {
          assert.equal(condition, 'service_completed_successfully');
          assert.match(needed.restart ?? '', /^on-failure/, `${other} never ends`);
        }
      }
    }
    for (const name of ['postgres', 'temporal', 'mongo', 'worker', 'gateway']) {
      assert.ok(compose.services[name]?.healthcheck, name);
    }
  });

  it('declares every volume that is mounted', () => {
    const mounted = services.flatMap(([, { volumes }]) =>
      (volumes ?? []).map((volume) => volume.split(':')[0]),
    );
    assert.deepEqual(new Set(mounted), new Set(Object.keys(compose.volumes)));
  });

  it('creates the search attributes that the workflows set', () => {
    const script = compose.services['temporal-namespace']?.command?.join('\n') ?? '';
    const created = [...script.matchAll(/--name (\w+) --type Keyword/g)].map((match) => match[1]);
    assert.deepEqual(created, SEARCH_ATTRIBUTE_NAMES);
  });

  it('runs programs of the project, and shares the artifacts between them', () => {
    for (const name of ['worker', 'gateway']) {
      const { command, volumes, environment } = compose.services[name]!;
      const program = /^node dist\/(src\/[a-z/]+)\.js$/.exec(command?.join(' ') ?? '')?.[1];
      assert.ok(existsSync(new URL(`${program}.ts`, root)), `${name} runs ${command?.join(' ')}`);
      assert.ok(volumes?.includes('artifacts:/data/artifacts'));
      assert.equal(environment?.['TENURE_ARTIFACTS'], '/data/artifacts');
      assert.equal(environment['MONGODB_URI'], 'mongodb://mongo:27017/?replicaSet=tenure');
    }
  });
});

describe('Dockerfile', () => {
  const lines = text('Dockerfile')
    .split('\n')
    .filter((line) => !line.startsWith('#'));

  it('pins its base, a glibc one of Node 22, and does not run as root', () => {
    const bases = lines.filter((line) => line.startsWith('FROM ')).map((line) => line.split(' ')[1]);
    assert.equal(bases.length, 2);
    for (const base of bases) assert.match(base ?? '', /^node:22\.\d+\.\d+-bookworm-slim$/);
    assert.equal(
      lines.findLast((line) => line.startsWith('USER ')),
      'USER node',
    );
  });

  it('copies only what exists and is not ignored', () => {
    const ignored = new Set(text('.dockerignore').split('\n'));
    const copied = lines
      .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
      .flatMap((line) => line.split(' ').slice(1, -1));
    assert.ok(copied.length >= 6);
    for (const path of copied) {
      assert.ok(existsSync(new URL(path, root)), path);
      assert.ok(!ignored.has(path), `${path} is in .dockerignore`);
    }
  });

  it('has what the build needs before the build', () => {
    const { build } = (JSON.parse(text('package.json')) as { scripts: { build: string } }).scripts;
    const before = lines.slice(
      0,
      lines.findIndex((line) => line.includes('npm run build')),
    );
    for (const [, path] of build.matchAll(/(?<= )([\w.-]+)(?:\/[\w./-]+)?\.(?:ts|json)/g)) {
      const there = before.some((line) => line.startsWith('COPY ') && line.includes(path!));
      assert.ok(there, `${build} needs ${path}`);
    }
  });
});
