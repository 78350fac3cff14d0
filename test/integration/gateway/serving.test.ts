import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import type { Datatype } from '../../../src/contracts/manifest.js';
import type { Gateway } from '../../../src/gateway/server.js';
import { GatewayBench, post, row, until } from '../../support/gateway.js';
import { identityModel, logisticModel, lookupModel, slowModel } from '../../support/onnx.js';

describe('The gateway serves by the Open Inference Protocol', () => {
  const bench = new GatewayBench();
  let gateway: Gateway;

  before(async () => {
    await bench.open();
    gateway = await bench.start({ maxBodyBytes: 100_000 });
    const v1 = await bench.version('v1', logisticModel([1, -1, 0.5]));
    const types: Datatype[] = ['BOOL', 'INT64', 'FP32', 'FP64', 'BYTES'];
    const echo = await bench.version(
      'e1',
      identityModel(types.map((datatype) => ({ name: datatype, datatype, shape: ['N'] }))),
    );
    const slow = await bench.version('s1', slowModel([1, 1, 1], 600_000));
    await bench.route('plain', { champion: v1 }, [gateway]);
    await bench.route('echo', { champion: echo }, [gateway]);
    // Half a second a call on an idle machine; on a busy one it must not come to its deadline.
    await bench.route('slow', { champion: slow, maxConcurrency: 2, deadlineMs: 60_000 }, [gateway]);
    await bench.route('gone', { champion: null, unavailableReason: 'taken away by its soak' }, [gateway]);
  });
  after(() => bench.close());

  const get = async (path: string): Promise<[number, Record<string, unknown>]> => {
    const response = await fetch(`${gateway.url}${path}`);
    return [response.status, (await response.json()) as Record<string, unknown>];
  };

  it('answers, with headers that say who did', async () => {
    const { status, headers, body } = await post(gateway.url, 'plain', { id: 'r-1', ...row(1, 2, 3) });
    assert.equal(status, 200);
    assert.equal(body.id, 'r-1');
    assert.equal(body.model_version, 'v1');
    assert.ok(Math.abs(Number(body.outputs?.[0]?.data[0]) - 1 / (1 + Math.exp(-0.5))) < 1e-6);
    const said = ['model', 'version', 'generation', 'request-id', 'fallback'].map((name) =>
      headers.get(`tenure-${name}`),
    );
    assert.deepEqual(said, ['plain', 'v1', '1', 'r-1', 'false']);
  });

  it('tells health, metadata and details', async () => {
    assert.deepEqual(await get('/v2/health/live'), [200, { live: true }]);
    assert.equal((await get('/v2/health/ready'))[0], 200);
    assert.equal((await get('/v2'))[1]['name'], 'tenure-gateway');
    const [status, metadata] = await get('/v2/models/plain');
    assert.equal(status, 200);
    assert.deepEqual(metadata['inputs'], [{ name: 'x', datatype: 'FP32', shape: [-1, 3] }]);
    assert.deepEqual(metadata['versions'], ['v1']);
    assert.deepEqual(await get('/v2/models/plain/versions/v1/ready'), [200, { name: 'plain', ready: true }]);
    assert.equal((await get('/v2/models/gone/ready'))[0], 503);
    const [, health] = await get('/tenure/health');
    assert.equal(health['status'], 'serving');
  });

  it('carries every datatype, flat and nested, and only the outputs asked for', async () => {
    const inputs = [
      { name: 'BOOL', datatype: 'BOOL', shape: [2], data: [true, false] },
      { name: 'INT64', datatype: 'INT64', shape: [2], data: ['9007199254740993', -7] },
      { name: 'FP32', datatype: 'FP32', shape: [2], data: [0.5, 1] },
      { name: 'FP64', datatype: 'FP64', shape: [2], data: [0.1, 2] },
      { name: 'BYTES', datatype: 'BYTES', shape: [2], data: ['ä', 'b'] },
    ];
    const response = await fetch(`${gateway.url}/v2/models/echo/infer`, {
      method: 'POST',
      body: JSON.stringify({ inputs, outputs: [{ name: 'out_BYTES' }, { name: 'out_INT64' }] }),
    });
    assert.equal(response.status, 200);
    const text = await response.text();
    assert.match(text, /"data":\[9007199254740993,-7\]/);
    assert.match(
      text,
      /"outputs":\[\{"name":"out_BYTES","shape":\[2\],"datatype":"BYTES","data":\["ä","b"\]\},/,
    );
    const nested = {
      inputs: [
        {
          name: 'x',
          datatype: 'FP32',
          shape: [2, 3],
          data: [
            [1, 2, 3],
            [0, 0, 0],
          ],
        },
      ],
    };
    const { body } = await post(gateway.url, 'plain', nested);
    assert.deepEqual(body.outputs?.[0]?.shape, [2, 1]);
    assert.equal(body.outputs?.[0]?.data[1], 0.5);
  });

  const x = { name: 'x', datatype: 'FP32', shape: [1, 3], data: [1, 2, 3] };
  const refusals: readonly (readonly [string, unknown, RegExp])[] = [
    ['not JSON', '{"inputs": [', /^The body is not JSON/],
    ['not an object', [1], /^body: an object is needed/],
    ['no inputs', {}, /^inputs: a list/],
    [
      'an unknown input',
      { inputs: [{ ...x, name: 'y' }] },
      /^inputs\[0\]\.name: the model has no input "y"; it has x/,
    ],
    [
      'a wrong shape',
      { inputs: [{ ...x, shape: [1, 2] }] },
      /^inputs\[0\]\.data: 3 values, but the shape needs 2/,
    ],
    [
      'a shape that does not fit',
      { inputs: [{ ...x, shape: [3, 1] }] },
      /^inputs\[0\]\.shape: \[3,1\] does not fit/,
    ],
    ['a wrong datatype', { inputs: [{ ...x, datatype: 'FP64' }] }, /FP64 given, but input "x" has FP32/],
    [
      'an unknown datatype',
      { inputs: [{ ...x, datatype: 'FP8' }] },
      /^inputs\[0\]\.datatype: "FP8" is not one of/,
    ],
    [
      'a wrong value',
      { inputs: [{ ...x, data: [1, '2', 3] }] },
      /^inputs\[0\]\.data\[1\]: "2" is not a value of FP32/,
    ],
    ['an absurd shape', { inputs: [{ ...x, shape: [1e9, 1e9] }] }, /more than the/],
    [
      'an unknown output',
      { inputs: [x], outputs: [{ name: 'z' }] },
      /^outputs\[0\]\.name: the model has no output "z"/,
    ],
  ];
  for (const [what, body, error] of refusals) {
    it(`refuses ${what} with 400 and the reason`, async () => {
      const answer = await post(gateway.url, 'plain', body);
      assert.equal(answer.status, 400);
      assert.match(answer.body.error ?? '', error);
    });
  }

  it('does not know other models and versions, and says why one is not available', async () => {
    assert.equal((await post(gateway.url, 'other', row(1))).status, 404);
    const version = await post(gateway.url, 'plain/versions/v9', row(1, 2, 3));
    assert.equal(version.status, 404);
    assert.match(version.body.error ?? '', /no version v9 on this gateway; it has v1/);
    const gone = await post(gateway.url, 'gone', row(1, 2, 3));
    assert.equal(gone.status, 503);
    assert.match(gone.body.error ?? '', /taken away by its soak/);
    assert.equal((await fetch(`${gateway.url}/nothing`)).status, 404);
  });

  it('refuses 100 MB without taking them in', async () => {
    const before = process.memoryUsage().rss;
    const [status, sent] = await new Promise<[number, number]>((resolve, reject) => {
      const url = new URL(`${gateway.url}/v2/models/plain/infer`);
      let written = 0;
      const request = httpRequest(
        url,
        { method: 'POST', headers: { 'content-length': 100_000_000 } },
        (response) => {
          response.resume();
          resolve([response.statusCode ?? 0, written]);
          request.destroy();
        },
      );
      request.on('error', (error) => (written === 0 ? reject(error) : undefined));
      written += 65_536;
      request.write(Buffer.alloc(65_536, 32));
    });
    assert.equal(status, 413);
    assert.equal(sent, 65_536);
    assert.ok(process.memoryUsage().rss - before < 50_000_000);
  });

  it('refuses an endless body without a length', async () => {
    const status = await new Promise<number>((resolve) => {
      const request = httpRequest(
        new URL(`${gateway.url}/v2/models/plain/infer`),
        { method: 'POST' },
        (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
          request.destroy();
        },
      );
      request.on('error', () => {});
      const more = (): void => {
        if (!request.destroyed) request.write(Buffer.alloc(16_384, 32), () => setImmediate(more));
      };
      more();
    });
    assert.equal(status, 413);
  });

  it('sheds what is too much with 503 and Retry-After, counted apart', async () => {
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => post(gateway.url, 'slow', row(1, 0, 0))),
    );
    const shed = answers.filter(({ status }) => status === 503);
    assert.deepEqual(
      answers.map(({ status }) => status).toSorted((a, b) => a - b),
      [200, 200, 503, 503, 503],
    );
    assert.equal(shed[0]?.headers.get('retry-after'), '1');
    await until(
      'the shed ones in the windows',
      async () => (await bench.sum('slow', (cell) => cell.requests.shed)) === 3,
    );
    await until(
      'the answered ones',
      async () => (await bench.sum('slow', (cell) => cell.requests.split)) === 2,
    );
  });

  it('counts client errors apart from all others, and shows Prometheus what happened', async () => {
    await until(
      'client errors in the windows',
      async () => (await bench.sum('plain', (cell) => cell.requests.clientError)) === refusals.length - 1,
    );
    const text = await (await fetch(`${gateway.url}/metrics`)).text();
    assert.match(
      text,
      /tenure_gateway_requests_total\{model="plain",version="v1",role="champion",outcome="ok"\} \d/,
    );
    assert.match(text, /tenure_gateway_shed_total\{model="slow"\} 3/);
    assert.match(text, /tenure_gateway_generation\{model="plain"\} 1/);
    assert.match(text, /tenure_gateway_lease_held\{model="plain"\} 1/);
  });

  it('says what a champion cannot answer: 500 for a failed run, 504 past the deadline', async () => {
    const lookup = await bench.version('l1', lookupModel(3, [0.1, 0.2]));
    await bench.route('lookup', { champion: lookup }, [gateway]);
    const failed = await post(gateway.url, 'lookup', row(9, 0, 0));
    assert.equal(failed.status, 500);
    assert.match(failed.body.error ?? '', /failed on this input: .*out of data bounds/);
    const late = await bench.version('late', slowModel([1, 1, 1], 1_500_000));
    await bench.route('late', { champion: late, deadlineMs: 200 }, [gateway]);
    assert.equal((await post(gateway.url, 'late', row(1, 0, 0))).status, 504);
    await until(
      'the stuck thread to be replaced',
      async () => (await bench.sum('late', (cell) => cell.errors['thread-stuck'] ?? 0)) > 0,
    );
    await until('answers again', async () => (await post(gateway.url, 'late', row(-1, 0, 0))).status === 200);
  });
});
