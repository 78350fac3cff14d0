import assert from 'node:assert/strict';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { loadManifest, parseManifest, type Problem } from '../../../src/manifest/index.js';

const problemsOf = (text: string): readonly Problem[] => {
  const result = parseManifest(text);
  return result.ok ? [] : result.problems;
};

const times = (count: number, line: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => line(i)).join('\n');

// Each of these took the parser's quadratic paths (up to half a minute); the suite's own time limit would end it.
describe('a manifest that is made to take long', () => {
  it('has forty thousand fields in one section: refused, the first hundred named', () => {
    const problems = problemsOf(times(40_000, (i) => `k${i}: 1`));
    assert.equal(problems.length, 101);
    assert.match(problems.at(-1)?.message ?? '', /^There are \d+ more problems$/);
  });

  it('repeats one key: each repeat is a problem, where it stands', () => {
    const problems = problemsOf(times(50_000, () => 'a: 1'));
    assert.deepEqual(problems[0], {
      path: '',
      line: 2,
      column: 1,
      message: 'Not valid YAML: Map keys must be unique',
    });
    assert.equal(problems.length, 101);
  });

  it('merges one anchor again and again, or uses it in a list', () => {
    const allowed = 'Not valid YAML: Anchors are used too often; allowed: at most 200 times';
    const merged = problemsOf(`a: &a { x: 1 }\nb:\n${times(30_000, () => '  <<: *a')}`);
    assert.deepEqual(merged, [{ path: '', line: 203, column: 7, message: allowed }]);
    const listed = problemsOf(`- &a x\n${times(60_000, () => '- *a')}`);
    assert.deepEqual(listed, [{ path: '', line: 202, column: 3, message: allowed }]);
  });

  it('but two merges in one section are YAML, and one key of two types is two keys', () => {
    const text = 'a: &a { x: 1 }\nb: &b { y: 2 }\nc:\n  <<: *a\n  <<: *b\n';
    assert.ok(problemsOf(text).every(({ message }) => !message.startsWith('Not valid YAML')));
    assert.ok(problemsOf('1: a\n"1": b\n').every(({ message }) => !message.startsWith('Not valid YAML')));
  });
});

describe('a file that is no manifest', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tenure-manifest-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('is not read when it is too large', async () => {
    const path = join(folder, 'rows.parquet');
    const file = await open(path, 'w');
    // A hole: three gigabytes that take no space, and could not become one text.
    await file.truncate(3 * 1024 ** 3);
    await file.close();
    const result = await loadManifest(path);
    assert.deepEqual(result.ok ? [] : result.problems, [
      {
        path: '',
        line: null,
        column: null,
        message: 'The file has 3221225472 bytes; allowed for a manifest: at most 2097152. Is it a manifest?',
      },
    ]);
  });
});
