import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { parse } from 'yaml';
import { loadManifest, manifestJsonSchema, manifestReference } from '../../../src/manifest/index.js';
import { MINIMAL } from '../../support/model-yaml.js';

const repo = new URL('../../../', import.meta.url);
const read = (path: string): Promise<string> => readFile(new URL(path, repo), 'utf8');
const example = 'examples/employment/model.yaml';
type Schema = { readonly [key: string]: Schema } & {
  readonly default?: unknown;
  readonly description?: string;
  readonly required?: string[];
};

/** A second reader of JSON Schema: zod's own. */
const accepts = (schema: unknown, value: unknown): boolean =>
  z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]).safeParse(value).success;

describe('docs of the manifest', () => {
  it('hold the schema as it is: run `npm run docs:schema` when this fails', async () => {
    assert.equal(await read('docs/model.schema.json'), `${JSON.stringify(manifestJsonSchema(), null, 2)}\n`);
    assert.equal(await read('docs/manifest.md'), manifestReference());
  });

  it('are named by the example, whose manifest is valid', async () => {
    const text = await read(example);
    const [, path = ''] = /^# yaml-language-server: \$schema=(\S+)/.exec(text) ?? [];
    assert.equal(
      new URL(path, new URL(example, repo)).pathname,
      new URL('docs/model.schema.json', repo).pathname,
    );
    const loaded = await loadManifest(new URL(example, repo).pathname);
    assert.deepEqual(loaded.ok ? [] : loaded.problems, []);
  });

  it('accept valid manifests with durations, percentages and short forms, and refuse slips', async () => {
    const schema = manifestJsonSchema();
    const minimal = parse(MINIMAL) as Record<string, unknown>;
    assert.ok(accepts(schema, parse(await read(example))));
    assert.ok(accepts(schema, minimal));
    assert.ok(accepts(schema, { ...minimal, soak: { seconds: '15m', holdback: '5%' } }));
    assert.ok(accepts(schema, { ...minimal, approval: { beforeDeploy: { approvers: ['ada'] } } }));
    assert.ok(!accepts(schema, { ...minimal, soak: { seconds: '15 minutes' } }));
    assert.ok(!accepts(schema, { ...minimal, soak: { secs: 15 } }));
    assert.ok(!accepts(schema, { ...minimal, riskTier: 'huge' }));
  });

  it('say defaults, units and what is allowed', () => {
    const { properties, required } = manifestJsonSchema() as Schema;
    assert.equal(properties?.['canary']?.properties?.['alpha']?.default, 0.01);
    const soak = properties?.['soak']?.properties?.['seconds'];
    assert.equal(soak?.default, undefined);
    assert.match(
      soak?.description ?? '',
      /Allowed: a duration .* Default: experimental 1m, low 15m, medium 1h, high 1d\./,
    );
    assert.ok(required?.includes('riskTier') && !required.includes('canary'));
    const reference = manifestReference();
    assert.match(reference, /\| `soak.holdback` \| 0 \| 0.05 \| 0.05 \| 0.05 \|/);
    const empty = reference.split('\n').filter((line) => /^\| `\w+` \| {2}\|/.test(line));
    assert.deepEqual(empty, [], 'fields without a description');
  });
});
