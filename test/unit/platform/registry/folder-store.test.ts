import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ArtifactError,
  type ArtifactErrorCode,
  FolderArtifactStore,
} from '../../../../src/platform/registry/index.js';

const failsWith = (code: ArtifactErrorCode) => (error: unknown) =>
  error instanceof ArtifactError && error.code === code;
const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('folder artifact store', () => {
  let root: string;
  let store: FolderArtifactStore;
  const bytes = Buffer.from('a model, or so it says');

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'tenure-store-'));
    store = new FolderArtifactStore(join(root, 'store'), { maxBytes: 3 * 1024 ** 2 });
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  async function collect(digest: string): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of await store.open(digest)) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  }

  it('gives back what was put, by digest, from bytes and from a file of several chunks', async () => {
    const large = Buffer.alloc(2_500_000, 'xyz');
    const file = join(root, 'large.onnx');
    await writeFile(file, large);
    assert.deepEqual(await store.put(bytes), { digest: digestOf(bytes), sizeBytes: bytes.length });
    assert.deepEqual(await store.put({ file }), { digest: digestOf(large), sizeBytes: large.length });
    assert.deepEqual(await store.read(digestOf(bytes)), bytes);
    assert.deepEqual(await collect(digestOf(large)), large);
    assert.equal(await store.size(digestOf(large)), large.length);
    assert.equal(await store.has(digestOf(large)), true);
    assert.equal(await store.has('0'.repeat(64)), false);
  });

  it('takes the same bytes many times at once and leaves nothing temporary', async () => {
    await Promise.all(Array.from({ length: 8 }, () => store.put(bytes)));
    assert.deepEqual(await store.read(digestOf(bytes)), bytes);
    assert.deepEqual(await readdir(join(root, 'store', 'tmp')), []);
  });

  it('sees damaged bytes on every way of reading, and putting them again mends them', async () => {
    const { digest } = await store.put(bytes);
    const path = await store.pathOf(digest);
    await chmod(path, 0o644);
    await writeFile(path, 'a model, or so it sayz!');
    await assert.rejects(store.read(digest), failsWith('corrupt'));
    await assert.rejects(store.pathOf(digest), failsWith('corrupt'));
    await assert.rejects(collect(digest), failsWith('corrupt'));
    await store.put(bytes);
    assert.deepEqual(await collect(digest), bytes);
    assert.equal(await store.pathOf(digest), path);
  });

  it('refuses what is missing, empty, too large, or not a digest', async () => {
    const nobody = '0'.repeat(64);
    await assert.rejects(store.read(nobody), failsWith('missing'));
    await assert.rejects(store.pathOf(nobody), failsWith('missing'));
    await assert.rejects(store.open(nobody), failsWith('missing'));
    await assert.rejects(store.put(Buffer.alloc(0)), failsWith('empty'));
    await assert.rejects(store.put(Buffer.alloc(3 * 1024 ** 2 + 1)), failsWith('too-large'));
    await assert.rejects(store.has('../../../etc/passwd'), failsWith('invalid-digest'));
    await assert.rejects(store.read(nobody.toUpperCase().replaceAll('0', 'A')), failsWith('invalid-digest'));
    const { digest } = await store.put(bytes);
    await assert.rejects(store.read(digest, 3), failsWith('too-large'));
    assert.deepEqual(await readdir(join(root, 'store', 'tmp')), []);
  });
});
