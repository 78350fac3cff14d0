import { strict as assert } from 'node:assert';
import { type ServiceError, type WorkflowHandle } from '@temporalio/client';
import {
  abortRelease,
  abortReleaseNow,
  approvalDecision,
  releaseReported,
  retryParked,
} from '../../../src/contracts/messages.js';
import { approvalBy } from '../../support/manifests.js';
import { scale } from '../../support/scale.js';
import { useModel, useRealServer } from '../../support/workflow-env.js';

const MANY = scale(600, 20_000);
/** In the short run a history is long early, so that the flood is carried over here too. */
const LIMIT = scale(150, 3_000);
/** More senders would only wait for each other: the server takes one message of a workflow at a time. */
const SENDERS = 4;

describe(`A flood of ${MANY} signals`, function () {
  this.timeout(scale(600_000, 3_600_000));
  const start = useModel();
  const server = useRealServer();
  const approval = { beforeDeploy: approvalBy(1, 'ann'), beforePromote: null };

  /** @returns how many the server refused, because one run takes no more than 10,000, or because the end had come */
  async function flood(
    send: (n: number) => Promise<void>,
    halfway: () => Promise<void> = async () => undefined,
  ): Promise<number> {
    let sent = 0;
    let refused = 0;
    let mayHaveEnded = false;
    const sender = async (): Promise<void> => {
      for (let n = sent++; n < MANY; n = sent++) {
        if (n === MANY / 2) {
          mayHaveEnded = true;
          await halfway();
        }
        await send(n).catch((error: unknown) => {
          // What comes after the end finds nobody any more.
          const isLate = mayHaveEnded && /not found|already completed/i.test(textOf(error));
          if (!isLate && !/exceeded workflow execution limit for signal events/.test(textOf(error)))
            throw error;
          refused += 1;
        });
      }
    };
    await Promise.all(Array.from({ length: SENDERS }, sender));
    return refused;
  }

  /** Every kind of message of no use, from people who do not exist and in the name of those who do. */
  const junk = (good: object, n: number): unknown => {
    const id = `junk-${n}`;
    const kinds = [
      { junk: n },
      { ...good, requestId: id, approver: `nobody-${n % 500}` },
      { ...good, requestId: id, evidenceHash: 'stale' },
      { ...good, requestId: id, decision: 'perhaps' },
    ];
    return kinds[n % kinds.length];
  };

  it('at one release neither ends nor wedges it: a true decision among them counts, and the record stays short', async () => {
    const { model, platform } = await start(
      { approval },
      { champion: 'v1', env: server(), releaseHistoryLimit: LIMIT },
    );
    const number = await model.submit('v2');
    const good = await model.decision(number);
    const release = model.release(number);
    const { runId } = await release.describe();
    const refused = await flood(
      (n) => release.signal(approvalDecision.name, junk({ ...good, approver: 'ann' }, n)),
      () => insist(() => release.signal(approvalDecision, good)),
    );
    assert.equal(await model.ended(number), 'succeeded');
    assert.equal(platform.recorded('approval.given').length, 1);
    assert.notEqual((await release.describe()).runId, runId, 'it has gone over to a new run');
    const each = platform.recorded('approval.refused').length;
    const sums = platform.recorded('approval.malformed');
    assert.ok(each <= 2_000 && sums.length <= 8, `${each} refusals and ${sums.length} sums`);
    const { malformed, dropped, refused: more } = sums.at(-1)!.evidence as Record<string, number>;
    // Those in the name of ann that came first were refused one by one, all else is in the sums; the end may come before the rest.
    const told = each + malformed! + dropped! + more!;
    assert.ok(told <= MANY - refused + 1, `${told} told of ${MANY - refused}`);
  });

  it('at one release in its canary: an abort in the middle of it acts', async () => {
    const { model, platform } = await start(
      {},
      { champion: 'v1', env: server(), releaseHistoryLimit: LIMIT },
    );
    platform.holdLooks(() => true);
    const number = await model.submit('v2');
    await model.until(() => platform.count('awaitLook') > 0);
    const release = model.release(number);
    const request = { requestId: 'abort', actor: 'otto', reason: 'enough' };
    const ended = model.ended(number);
    await flood(
      (n) => release.signal(approvalDecision.name, { junk: n }),
      async () => {
        await release
          .signal(abortRelease, request)
          .catch(() => release.executeUpdate(abortReleaseNow, { args: [request] }));
      },
    );
    assert.equal(await ended, 'aborted');
    assert.equal(platform.serving, 'v1');
    const [end] = platform.recorded('release.aborted');
    assert.deepEqual([end?.actor.id, end?.evidence['reason']], ['otto', 'enough']);
  });

  it('at a model changes nothing that it knows, and it answers', async () => {
    const { model } = await start({}, { champion: 'v1', env: server(), historyLimit: LIMIT });
    const before = await model.view();
    const report = {
      release: 1,
      stage: 'aborted',
      at: '2026-01-01T00:00:00Z',
      reason: null,
      champion: null,
      former: null,
      generation: 1,
    };
    const send = (handle: WorkflowHandle, n: number): Promise<void> =>
      n % 2 === 0
        ? handle.signal(retryParked.name, { junk: n })
        : handle.signal(releaseReported.name, { ...report, release: n, head: { sequence: 0, hash: 'x' } });
    await flood((n) => send(model.handle, n));
    assert.deepEqual(await answered(() => model.view()), before);
    assert.equal(await model.ended(await model.submit('v2')), 'succeeded');
  });
});

const textOf = (error: unknown): string => `${String(error)} ${(error as ServiceError).cause?.message ?? ''}`;

/**
 * The SDK takes .7 ms of a core for a signal, so 10,000 at once need most of the ten seconds of a task. Where the machine is full it
 * is tried anew until it fits, and the server answers no query meanwhile.
 */
async function answered<T>(query: () => Promise<T>): Promise<T> {
  for (;;)
    try {
      return await query();
    } catch (error) {
      if (!/workflow task in failed state/i.test(textOf(error))) throw error;
    }
}

/** A sender who means it sends again what the server refused. */
async function insist(send: () => Promise<void>): Promise<void> {
  for (;;)
    try {
      return await send();
    } catch (error) {
      if (!/exceeded workflow execution limit/.test(textOf(error))) throw error;
    }
}
