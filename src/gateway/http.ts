import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import {
  fastify,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type HookHandlerDoneFunction,
  LogController,
} from 'fastify';
import type { Logger } from 'pino';
import type { RoutingTable } from '../contracts/routes.js';
import type { InferContext } from './context.js';
import { addFeedback } from './feedback.js';
import { infer, type InferCall } from './infer.js';
import type { LiveRoute } from './live-route.js';
import type { ModelRoutes } from './model-routes.js';
import { addObservations } from './observations.js';
import { answerText, HttpError, specText } from './protocol.js';
import type { Watcher } from './watcher.js';

export interface HttpSettings {
  readonly watcher: Watcher;
  readonly context: InferContext;
  readonly log: Logger;
  /** Largest body, bytes. */
  readonly maxBodyBytes: number;
  /** Inference requests in flight, all models together. */
  readonly maxInFlight: number;
  /** Details for `GET /tenure/health`. */
  readonly health: () => object;
}

const VERSION = '0.1.0';
const JSON_TYPE = 'application/json; charset=utf-8';

interface ModelPath {
  readonly model: string;
  readonly version?: string;
}

/** The gateway's HTTP interface: Open Inference Protocol v2, health and metrics. Errors are `{error}`. */
export function createHttp(settings: HttpSettings): FastifyInstance {
  const { watcher, context, log, maxBodyBytes, maxInFlight, health } = settings;
  const loggerInstance: FastifyBaseLogger = log;
  const app = fastify({
    loggerInstance,
    // A logger of its own for each request costs more than the rare line that names the request.
    childLoggerFactory: (logger) => logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: maxBodyBytes,
    requestTimeout: 30_000,
    routerOptions: { maxParamLength: 200 },
    forceCloseConnections: 'idle',
    return503OnClosing: true,
  });
  readJson(app);
  app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) =>
    answerError(error, request, reply),
  );
  app.setNotFoundHandler((request, reply) =>
    reply.code(404).send({ error: `There is no ${request.method} ${request.url}` }),
  );

  let inFlight = 0;
  const left = (): void => {
    inFlight -= 1;
  };
  const limit = {
    onRequest: (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void => {
      if (inFlight >= maxInFlight) {
        const { model } = request.params as ModelPath;
        context.counting.shed(model, watcher.models.get(model)?.current ?? null);
        done(new HttpError(503, `More than ${maxInFlight} requests are in flight; try again`, 1));
        return;
      }
      inFlight += 1;
      reply.raw.once('close', left);
      done();
    },
  };

  app.get('/v2/health/live', () => ({ live: true }));
  app.get('/v2/health/ready', (_request, reply) =>
    reply.code(watcher.ready ? 200 : 503).send({ live: true, ready: watcher.ready }),
  );
  app.get('/v2', () => ({ name: 'tenure-gateway', version: VERSION, extensions: [] }));
  app.get('/tenure/health', () => health());
  app.get('/metrics', async (_request, reply) => {
    const { registry } = context.counting.metrics;
    return reply.type(registry.contentType).send(await registry.metrics());
  });
  for (const path of ['/v2/models/:model', '/v2/models/:model/versions/:version']) {
    app.get<{ Params: ModelPath }>(path, ({ params }) => metadata(routesOf(watcher, params), params));
    app.get<{ Params: ModelPath }>(`${path}/ready`, ({ params }, reply) => {
      const routes = routesOf(watcher, params);
      const ready = slotOf(routes, params)?.thread.ready ?? false;
      return reply.code(ready ? 200 : 503).send({ name: params.model, ready });
    });
    app.post<{ Params: ModelPath }>(`${path}/infer`, limit, async ({ params, headers, body }, reply) => {
      const began = performance.now();
      const routes = routesOf(watcher, params);
      const live = liveOf(routes);
      const call = callOf(params, headers, body, live, began);
      const id = call.requestId;
      reply.headers({
        'tenure-model': params.model,
        'tenure-generation': live.generationText,
        'tenure-request-id': headerSafe(id),
      });
      const answer = await infer(routes, live, call, context);
      reply.headers({
        'content-type': JSON_TYPE,
        'tenure-version': headerSafe(answer.version),
        'tenure-fallback': answer.fallback ? 'true' : 'false',
      });
      return reply.send(answerText(params.model, answer.version, id, answer.outputs, answer.wanted));
    });
  }
  const tableOf = (model: string): RoutingTable => liveOf(routesOf(watcher, { model })).table;
  addFeedback(app, context.observing, tableOf);
  addObservations(app, context.observing?.observed ?? null, tableOf);
  return app;
}

function readJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  // Named as well: what stands for any type is looked for anew in every request.
  app.addContentTypeParser(['application/json', '*'], { parseAs: 'string' }, (_request, body, done) => {
    let value: unknown;
    try {
      value = JSON.parse(body.toString());
    } catch (error) {
      done(
        new HttpError(400, `The body is not JSON: ${error instanceof Error ? error.message : String(error)}`),
      );
      return;
    }
    done(null, value);
  });
}

function answerError(
  error: Error & { statusCode?: number },
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const status = error instanceof HttpError ? error.status : (error.statusCode ?? 500);
  if (error instanceof HttpError && error.retryAfterSeconds !== undefined) {
    reply.header('retry-after', String(error.retryAfterSeconds));
  }
  if (status === 413) {
    const { bodyLimit } = request.routeOptions;
    return reply
      .header('connection', 'close')
      .code(413)
      .send({ error: `The body is larger than ${bodyLimit} bytes` });
  }
  if (status >= 500 && !(error instanceof HttpError)) {
    request.log.error({ err: error, reqId: request.id }, 'A request failed inside the gateway');
    return reply.code(500).send({ error: 'The request failed inside the gateway' });
  }
  return reply.code(status).send({ error: error.message });
}

function routesOf(watcher: Watcher, { model }: ModelPath): ModelRoutes {
  const routes = watcher.models.get(model);
  if (routes !== undefined) return routes;
  if (watcher.tablesFrom === 'none') throw new HttpError(503, 'The routing tables have not been read yet', 1);
  throw new HttpError(404, `There is no model ${model}`);
}

function liveOf(routes: ModelRoutes): LiveRoute {
  if (routes.current !== null) return routes.current;
  const { failed } = routes.observed;
  const reason = failed[0]?.reason ?? 'its versions are being loaded';
  throw new HttpError(503, `${routes.model} is not available: ${reason}`, 1);
}

function slotOf(routes: ModelRoutes, { version }: ModelPath) {
  return version === undefined ? (routes.current?.slots.champion ?? null) : routes.loaded(version);
}

function metadata(routes: ModelRoutes, path: ModelPath): object {
  const slot = slotOf(routes, path);
  if (slot === null) {
    if (path.version !== undefined)
      throw new HttpError(404, `${path.model} has no version ${path.version} on this gateway`);
    const reason = routes.current?.table.unavailableReason ?? 'no version of this model is in production';
    throw new HttpError(503, `${path.model} is not available: ${reason}`);
  }
  const { inputs, outputs } = slot.thread.metadata;
  return {
    name: path.model,
    versions: routes.versions(),
    platform: 'onnxruntime_onnx',
    inputs: inputs.map(specText),
    outputs: outputs.map(specText),
  };
}

function callOf(
  { version }: ModelPath,
  headers: IncomingHttpHeaders,
  body: unknown,
  { table }: LiveRoute,
  began: number,
): InferCall {
  const text = (name: string): string | null => {
    const value = headers[name.toLowerCase()];
    const first = Array.isArray(value) ? value[0] : value;
    return first === undefined || first === '' ? null : first;
  };
  const sent: unknown = typeof body === 'object' && body !== null && 'id' in body ? body.id : undefined;
  const requestId =
    (typeof sent === 'string' && sent !== '' ? sent : text('tenure-request-id')) ?? randomUUID();
  const purpose = text('tenure-purpose');
  if (purpose !== null && purpose !== 'conformance' && purpose !== 'drill') {
    throw new HttpError(400, `tenure-purpose: ${purpose} is not one of conformance, drill`);
  }
  return { body, version: version ?? null, requestId, key: text(table.routingKeyHeader), purpose, began };
}

/** Ids come from outside and may hold what a header cannot. */
const headerSafe = (value: string): string =>
  value.length <= 200 && !UNSAFE.test(value) ? value : value.slice(0, 200).replaceAll(/[^\x21-\x7e]/g, '?');

const UNSAFE = /[^\x21-\x7e]/;
