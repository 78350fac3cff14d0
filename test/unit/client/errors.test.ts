import { strict as assert } from 'node:assert';
import {
  QueryNotRegisteredError,
  ServiceError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { explain, TenureError } from '../../../src/client/errors.js';
import { untilProcessed } from '../../../src/client/unprocessed.js';

/** As the call's library throws it. */
const grpc = (code: number, details: string): Error =>
  Object.assign(new Error(`${code}: ${details}`), { code, details, metadata: {} });

const explained = (error: unknown): TenureError => {
  const found = explain(error, 'not there');
  assert.ok(found instanceof TenureError, String(found));
  return found;
};

describe('what the client says when a call fails', () => {
  const late = 'Deadline exceeded after 2.001s,LB pick: 0.002s,remote_addr=127.0.0.1:7233';
  const unsent = 'Deadline exceeded after 2.001s,metadata filters: 0.001s,Waiting for LB pick';

  for (const [what, wrap] of [
    ['a query', (cause: Error) => new ServiceError('failed', { cause })],
    ['an update', (cause: Error) => new WorkflowUpdateRPCTimeoutOrCancelledError('late', { cause })],
    ['any call', (cause: Error) => cause],
  ] as const) {
    it(`tells a worker that does not answer ${what} from a server that cannot be reached`, () => {
      const idle = explained(wrap(grpc(4, late)));
      assert.equal(idle.code, 'unreachable');
      assert.match(idle.message, /^no worker answered: is `tenure up` \(or the worker\) running\?/);
      const gone = explained(wrap(grpc(4, unsent)));
      assert.equal(gone.code, 'unreachable');
      assert.match(gone.message, /^Temporal is not reachable \(Deadline exceeded/);
    });
  }

  it('says that a server which is busy is there, and that the same may be sent again', () => {
    for (const [code, details] of [
      [8, 'namespace rate limit exceeded'],
      // Seen with 500 clients at once.
      [14, 'workflow update was aborted'],
    ] as const) {
      const { code: kind, message } = explained(new ServiceError('failed', { cause: grpc(code, details) }));
      assert.equal(kind, 'unreachable');
      assert.match(message, /^Temporal is busy with other requests: try again in a moment \(/);
    }
    assert.match(explained(grpc(14, 'No connection established')).message, /^Temporal is not reachable/);
  });

  it('tells what may be tried again from what is wrong', () => {
    const failed = (type: string): TenureError =>
      explained(new WorkflowUpdateFailedError('failed', ApplicationFailure.nonRetryable('why', type)));
    for (const type of ['Unavailable', 'UnprocessedUpdate'])
      assert.equal(failed(type).code, 'unreachable', type);
    assert.equal(failed('InvalidInput').code, 'invalid');
    assert.equal(failed('InvalidInput').message, 'why');
  });

  it('sends an update again that no worker has looked at, some times, and nothing else', async () => {
    const failing = (type: string, times: number) => {
      let calls = 0;
      const call = (): Promise<number> => {
        calls += 1;
        if (calls > times) return Promise.resolve(calls);
        const cause = ApplicationFailure.nonRetryable('why', type);
        return Promise.reject(new WorkflowUpdateFailedError('failed', cause));
      };
      return { call, calls: () => calls };
    };
    assert.equal(await untilProcessed(failing('UnprocessedUpdate', 2).call), 3);
    const never = failing('UnprocessedUpdate', 100);
    await assert.rejects(untilProcessed(never.call), WorkflowUpdateFailedError);
    assert.equal(never.calls(), 4);
    const wrong = failing('InvalidInput', 1);
    await assert.rejects(untilProcessed(wrong.call), WorkflowUpdateFailedError);
    assert.equal(wrong.calls(), 1);
  });

  it('queries again where a worker could not replay, and says what it means when that stays so', async () => {
    const said = (text: string): QueryNotRegisteredError =>
      Object.assign(Object.create(QueryNotRegisteredError.prototype) as QueryNotRegisteredError, {
        message: text,
      });
    const unreplayed = said('[TMPRL1100] Nondeterminism error: no command');
    let calls = 0;
    const call = (failure: Error) => async (): Promise<number> => {
      calls += 1;
      if (calls === 1) throw failure;
      return calls;
    };
    assert.equal(await untilProcessed(call(unreplayed)), 2);
    calls = 0;
    const unknown = said('unknown queryType');
    await assert.rejects(untilProcessed(call(unknown)), QueryNotRegisteredError);
    assert.equal(calls, 1);
    const { code, message } = explained(unreplayed);
    assert.equal(code, 'unreachable');
    assert.match(message, /^the worker could not replay .* try again in a moment/);
  });
});
