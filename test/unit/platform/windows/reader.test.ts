import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import type { WindowBatch } from '../../../../src/contracts/windows.js';
import { hashKey } from '../../../../src/gateway/split.js';
import { isSampled } from '../../../../src/platform/windows/keys.js';
import { mergeCells } from '../../../../src/platform/windows/merge.js';
import { ModelRecorder } from '../../../../src/platform/windows/recorder.js';
import { ReleaseReader } from '../../../../src/platform/windows/reader.js';
import { addToSums, type ReleaseSums } from '../../../../src/platform/windows/sums.js';
import { CANDIDATE, canaryTable, CHAMPION, FakeCounting } from '../../../support/windows.js';

const read = (batches: readonly ReleaseSums[], guardrails: readonly string[] = ['errors', 'slow']) => {
  const reader = new ReleaseReader({
    model: 'm',
    release: 1,
    candidate: CANDIDATE.digest,
    champion: CHAMPION.digest,
    guardrails,
  });
  for (const batch of batches) reader.add(batch);
  return reader.result;
};

/** Requests as [gateway, generation, key, mask]; generation g has weight g / 4. */
const request = fc.tuple(fc.nat(2), fc.integer({ min: 1, max: 3 }), fc.nat(30), fc.nat(3));

describe('Counts of a release from windows', () => {
  it('agree with counting every request in one place, with any gateways and flushes', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(request, fc.boolean()), { maxLength: 120 }), (steps) => {
        const gateways = [0, 1, 2].map((i) => new FakeCounting(`g${i}`));
        const batches: WindowBatch[] = [];
        const seen = new Set<number>();
        const bad = new Map<number, number>();
        const tally = new Map<string, number>();
        const add = (...path: (string | number)[]): void =>
          void tally.set(path.join('/'), (tally.get(path.join('/')) ?? 0) + 1);
        // Generations only rise; a flush after each request keeps the order of first sight the order of the batches.
        const ordered = [...steps].sort(([a], [b]) => a[1] - b[1]);
        for (const [[g, generation, k, mask], repeat] of ordered) {
          const table = canaryTable(generation, generation / 4);
          const arm = hashKey(table.salt, `k${k}`).h < generation / 4 ? 'candidate' : 'champion';
          for (let n = 0; n < (repeat ? 2 : 1); n += 1) {
            gateways[g]?.request(table, `k${k}`, mask);
            add(generation, arm, 'requests');
            if (!seen.has(k)) {
              add(generation, arm, 'keys');
              if ((mask & 1) !== 0) add(generation, arm, 'firstBad');
            }
            seen.add(k);
            if ((mask & 1) !== 0 && ((bad.get(k) ?? 0) & 1) === 0) add(generation, arm, 'newBad');
            if ((mask & 1) !== 0) add(generation, arm, 'bad');
            bad.set(k, (bad.get(k) ?? 0) | mask);
          }
          batches.push(...(gateways[g]?.flush(1) ?? []));
        }
        const { counts, keysSeen } = read(batches);
        assert.equal(keysSeen, seen.size);
        assert.equal(counts.sampleRate, 1);
        for (const { generation, candidateShare, ...arms } of counts.generations) {
          assert.equal(candidateShare, generation / 4);
          for (const arm of ['candidate', 'champion'] as const) {
            const at = (what: string): number => tally.get(`${generation}/${arm}/${what}`) ?? 0;
            assert.equal(arms[arm].requests, at('requests'));
            assert.equal(arms[arm].keys, at('keys'));
            assert.equal(arms[arm].firstBad['errors'], at('firstBad'));
            assert.equal(arms[arm].newBad['errors'], at('newBad'));
            assert.equal(arms[arm].bad['errors'], at('bad'));
          }
        }
      }),
      { seed: 7, numRuns: 150 },
    );
  });

  it('are the same when the older part was merged into sums, in any pieces', () => {
    const step = fc.tuple(request, fc.boolean(), fc.nat(3));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), fc.array(fc.nat(80)), (steps, cuts) => {
        const gateways = [0, 1, 2].map((i) => new FakeCounting(`g${i}`, 'boot', i === 0 ? 6 : 20_000));
        const batches: WindowBatch[] = [];
        for (const [[g, generation, k, mask], other, shape] of steps) {
          // Another release in the same windows, drills, and tables with guardrails in another order.
          const changes = other ? { release: 2 } : shape === 0 ? { phase: 'drill' as const } : {};
          const table = canaryTable(generation + (other ? 10 : 0), generation / 4, changes);
          const guardrails = shape === 1 ? table.guardrails.toReversed() : table.guardrails;
          const number = table.generation + (shape === 1 ? 20 : shape === 0 ? 40 : 0);
          gateways[g]?.request({ ...table, guardrails, generation: number }, `k${k}`, mask);
          if (k % 3 !== 0) batches.push(...(gateways[g]?.flush(1) ?? []));
        }
        const [last = 0, ...places] = cuts.map((cut) => Math.min(cut, batches.length)).sort((a, b) => b - a);
        let [sums, from]: [ReleaseSums | null, number] = [null, 0];
        for (const to of [...places.reverse(), last]) {
          // As it comes back from the database.
          sums = JSON.parse(JSON.stringify(addToSums(sums, batches.slice(from, to), 1))) as ReleaseSums;
          from = to;
        }
        const rest = batches.slice(from);
        assert.deepEqual(read(sums === null ? rest : [sums, ...rest]), read(batches));
      }),
      { seed: 9, numRuns: 300 },
    );
  });

  it('count no key twice after a restart of a gateway', () => {
    const table = canaryTable(1, 0.5);
    const [before, after] = [new FakeCounting('g', 'boot-1'), new FakeCounting('g', 'boot-2')];
    const batches: WindowBatch[] = [];
    for (const gateway of [before, after]) {
      for (let k = 0; k < 20; k += 1) gateway.request(table, `k${k}`, 1);
      batches.push(...gateway.flush(1));
    }
    const { counts } = read(batches);
    const arms = counts.generations[0];
    assert.equal((arms?.candidate.keys ?? 0) + (arms?.champion.keys ?? 0), 20);
    assert.equal((arms?.candidate.newBad['errors'] ?? 0) + (arms?.champion.newBad['errors'] ?? 0), 20);
    assert.equal((arms?.candidate.requests ?? 0) + (arms?.champion.requests ?? 0), 40);
  });

  it('take the first request by its assignment, not by its end', () => {
    const table = canaryTable(1, 1);
    const recorder = new ModelRecorder('m', 0, 10);
    const tracker = recorder.keysOf(table);
    assert.ok(tracker !== null);
    const [slowOne, quickOne] = [tracker.begin(7), tracker.begin(7)];
    const end = (first: boolean, bad: number): void => {
      const key = { ...CANDIDATE, role: 'candidate' } as const;
      recorder.answered(table, key, 'split', { elapsedMs: 5, score: 0.5, error: null, bad });
      recorder.key(table, CANDIDATE.digest, tracker, 7, first, bad);
    };
    end(quickOne, 0);
    end(slowOne, 0b11);
    const batch = recorder.flush(1, {
      gateway: 'g',
      boot: 'b',
      sequence: 1,
      lost: { batches: 0, requests: 0 },
    });
    const { counts } = read(batch === null ? [] : [batch]);
    assert.deepEqual(counts.generations[0]?.candidate.firstBad, { errors: 1, slow: 1 });
  });

  it('thin all gateways to the largest level, and say the rate', () => {
    const table = canaryTable(1, 0.5);
    const [small, large] = [new FakeCounting('a', 'b', 40), new FakeCounting('c')];
    for (let k = 0; k < 300; k += 1)
      (k % 2 === 0 ? small : large).request(table, `k${k}`, k % 5 === 0 ? 1 : 0);
    const batches = [...small.flush(1), ...large.flush(1)];
    const level = batches[0]?.level ?? 0;
    assert.ok(level > 0);
    const { counts, keysSeen } = read(batches);
    const sampled = Array.from({ length: 300 }, (_, k) => k).filter((k) =>
      isSampled(hashKey('salt', `k${k}`).identity, level),
    );
    const arms = counts.generations[0];
    assert.equal(counts.sampleRate, 2 ** -level);
    assert.equal((arms?.candidate.keys ?? 0) + (arms?.champion.keys ?? 0), sampled.length);
    assert.equal(keysSeen, sampled.length * 2 ** level);
    const bad = (arms?.candidate.newBad['errors'] ?? 0) + (arms?.champion.newBad['errors'] ?? 0);
    assert.equal(bad, sampled.filter((k) => k % 5 === 0).length);
    assert.equal((arms?.candidate.requests ?? 0) + (arms?.champion.requests ?? 0), 300);
  });

  it('leave out a guardrail that the table did not have, and map bits by name', () => {
    const gateway = new FakeCounting('g');
    gateway.request(canaryTable(1, 1), 'k', 0b10);
    const { counts } = read(gateway.flush(1), ['other', 'slow', 'errors']);
    assert.deepEqual(counts.generations[0]?.candidate.newBad, { slow: 1, errors: 0 });
  });

  it('see nothing of other releases or of tables that are not compared', () => {
    const gateway = new FakeCounting('g');
    gateway.request(canaryTable(1, 1, { release: 2 }), 'k', 1);
    gateway.request(canaryTable(2, 1, { phase: 'drill' }), 'k', 1);
    const { counts, keysSeen } = read(gateway.flush(1));
    assert.deepEqual([counts.generations, keysSeen], [[], 0]);
  });

  it('merge cells to the same in any order', () => {
    fc.assert(
      fc.property(fc.array(request, { maxLength: 60 }), fc.infiniteStream(fc.nat()), (requests, order) => {
        const gateways = [0, 1, 2].map((i) => new FakeCounting(`g${i}`));
        const cells = requests.flatMap(([g, generation, k, mask]) => {
          gateways[g]?.request(canaryTable(generation, 0.5), `k${k}`, mask, 4);
          return gateways[g]?.flush(1).flatMap((batch) => batch.cells) ?? [];
        });
        const shuffled = cells
          .map((cell) => ({ cell, at: order.next().value ?? 0 }))
          .sort((a, b) => a.at - b.at)
          .map(({ cell }) => cell);
        assert.deepEqual(mergeCells(shuffled), mergeCells(cells));
        const half = Math.floor(cells.length / 2);
        assert.deepEqual(
          mergeCells([...mergeCells(cells.slice(half)), ...mergeCells(cells.slice(0, half))]),
          mergeCells(cells),
        );
      }),
      { seed: 8, numRuns: 60 },
    );
  });
});
