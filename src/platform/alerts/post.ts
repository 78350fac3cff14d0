import { ReceiverError } from './alerts.js';

export interface Posting {
  /** Name of the receiver, for errors. */
  readonly receiver: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON text. */
  readonly body: string;
}

const TIMEOUT_MS = 10_000;
const SHOWN = 300;

/**
 * Posts JSON. Redirects are not followed: the body, and the address, are for that receiver alone.
 * @throws ReceiverError when there is no answer in time, or one that is not 2xx; with what the receiver said, never with its address
 */
export async function postJson({ receiver, url, headers, body }: Posting): Promise<void> {
  let response: Response;
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (error) {
    throw new ReceiverError(receiver, `no answer: ${reasonOf(error)}`);
  }
  const said = await response.text().catch(() => '');
  if (response.ok) return;
  const shown = said.replaceAll(/\s+/g, ' ').trim().slice(0, SHOWN).replaceAll(url, '(address)');
  throw new ReceiverError(receiver, `answered ${response.status}${shown === '' ? '' : `: ${shown}`}`);
}

/** fetch says only "fetch failed"; its cause says why, by a code. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `none within ${TIMEOUT_MS / 1000} s`;
  const { cause } = error;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' ? code : error.message;
}
