import { connect } from 'node:net';

const PATIENCE_MS = 1_000;

/**
 * Whether somebody takes connections there, which says nothing of whether they are answered: the system takes them for a process that
 * is stopped too.
 * @param address `host:port`
 */
export function accepts(address: string): Promise<boolean> {
  const { hostname, port } = new URL(`tcp://${address}`);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port) });
    const end = (answer: boolean) => (): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(PATIENCE_MS, end(false)).once('connect', end(true)).once('error', end(false));
  });
}
