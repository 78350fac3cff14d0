import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Stands between a client and a server and can be cut, as if the server had died, or hang, as if the network had; and be mended. */
export class TcpProxy {
  readonly #host: string;
  readonly #port: number;
  readonly #sockets = new Set<Socket>();
  readonly #pairs = new Map<Socket, Socket>();
  #server: Server | undefined;
  port = 0;
  #hanging = false;
  readonly #waiting: (() => void)[] = [];

  constructor(host: string, port: number) {
    this.#host = host;
    this.#port = port;
  }

  async open(): Promise<void> {
    const server = createServer((client) => {
      if (this.#hanging) {
        this.#sockets.add(client);
        client.on('error', () => {});
        this.#waiting.push(() => this.#join(client));
      } else this.#join(client);
    });
    server.listen(this.port, '127.0.0.1');
    await once(server, 'listening');
    this.port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Nothing gets through any more and nothing is closed, until `mend`; then what was sent arrives late. */
  hang(): void {
    this.#hanging = true;
    for (const socket of this.#sockets) {
      socket.unpipe();
      socket.pause();
    }
  }

  mend(): void {
    this.#hanging = false;
    for (const [one, other] of this.#pairs) if (!one.destroyed && !other.destroyed) one.pipe(other);
    for (const join of this.#waiting.splice(0)) join();
  }

  #join(client: Socket): void {
    const upstream = connect(this.#port, this.#host);
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.#sockets.add(one);
      this.#pairs.set(one, other);
      one.on('error', () => {});
      one.on('close', () => {
        this.#sockets.delete(one);
        this.#pairs.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  }

  /** Connections break and new ones are refused, until `open`. */
  async cut(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(server, 'close');
  }
}
