import { randomInt } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const LOOPBACK = '127.0.0.1';
/**
 * Below the ports that systems give to outgoing connections (Linux from 32768, others from 49152): one that is kept for
 * the next start would often be taken there.
 */
const FROM = 15_000;
const BELOW = 32_000;
const TRIES = 200;

/** Different free ports on loopback: all are held until the last is chosen. */
export async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = [];
  const ports: number[] = [];
  try {
    for (let tries = 0; ports.length < count; tries++) {
      const port = randomInt(FROM, BELOW);
      const server = await listen(port).catch((error: Error) => {
        if (tries >= TRIES) throw error;
      });
      if (server === undefined) continue;
      servers.push(server);
      ports.push(port);
    }
  } finally {
    await Promise.all(servers.map(close));
  }
  return ports;
}

/** Whether a server could listen there now. */
export async function isFree(port: number): Promise<boolean> {
  try {
    await close(await listen(port));
    return true;
  } catch {
    return false;
  }
}

/** Whether a server could listen there within some milliseconds. */
export async function getsFree(port: number, withinMs: number): Promise<boolean> {
  const until = performance.now() + withinMs;
  while (!(await isFree(port))) {
    if (performance.now() > until) return false;
    await sleep(20);
  }
  return true;
}

const listen = (port: number): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port, host: LOOPBACK, exclusive: true }, () => resolve(server));
  });

const close = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
  });
