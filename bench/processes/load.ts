/** A load generator in a process of its own: is sent a job and sends its result back. */
import autocannon from 'autocannon';
import type { ClosedLoad, LoadResult, OpenLoad } from '../support/load.js';
import { openLoop } from '../support/open-loop.js';

async function closedLoop({ url, path, requests, connections, seconds }: ClosedLoad): Promise<LoadResult> {
  const result = await autocannon({
    url,
    connections,
    duration: seconds,
    timeout: 30,
    requests: requests.map(({ headers, body }) => ({
      method: 'POST',
      path,
      headers: { 'content-type': 'application/json', ...headers },
      body,
    })),
  });
  return {
    perSecond: result['2xx'] / result.duration,
    answered: result['2xx'],
    bad: result.non2xx + result.errors + result.timeouts,
    latencies: [],
  };
}

process.once('message', (job: ClosedLoad | OpenLoad) => {
  void (job.kind === 'closed' ? closedLoop(job) : openLoop(job)).then((result) => {
    process.send?.(result, () => process.disconnect());
  });
});
