import type { Bench } from '../bench.js';
import { figure } from '../figure.js';
import { compare } from '../support/rounds.js';
import {
  CONNECTIONS,
  fullTurn,
  mustBeCounted,
  type Server,
  startBare,
  startPair,
  type Turn,
} from './pair.js';

const ROUNDS = 15;
const SECONDS = 2;

interface Round {
  readonly ours: Turn;
  readonly bare: Turn;
  readonly inThread: Turn;
}

export const throughput: Bench = {
  name: 'gateway-load',
  what: 'single-row requests a second of a gateway in a canary, beside bare fastify with the same model on the same threads',
  figures: ['gateway-throughput', 'gateway-cpu', 'gateway-in-thread'],
  async run(context) {
    const rounds = context.rounds ?? ROUNDS;
    const { gateway, bare, files } = await startPair(context);
    const inThread = await startBare(context, { where: 'in-thread', files, share: 0 });
    const seen: Round[] = [];
    // The first round warms up and is thrown away.
    for (let round = 0; round <= rounds; round += 1) {
      seen.push(await oneRound(round, gateway, bare, inThread));
      if (round > 0) context.say(`round ${round} of ${rounds}: ${wordsOf(seen.at(-1) as Round)}`);
    }
    const answered = seen.reduce((sum, { ours }) => sum + ours.answered, 0);
    await mustBeCounted(gateway, { answered, leftOpen: seen.length * CONNECTIONS });
    const pairs = (of: 'perSecond' | 'cpu', other: 'bare' | 'inThread') =>
      compare(seen.slice(1).map((round) => ({ ours: round.ours[of], theirs: round[other][of] })));
    return [
      figure({
        name: 'gateway-throughput',
        unit: 'requests/s',
        ...pairs('perSecond', 'bare'),
        aim: { of: 'ratio', at: 'least', bound: 0.8 },
        note: `${CONNECTIONS} connections, ${rounds} rounds; ${answered} answers of the gateway, all found in its windows`,
      }),
      figure({
        name: 'gateway-cpu',
        unit: 'µs of CPU a request',
        ...pairs('cpu', 'bare'),
        note: 'All threads of the server, user and system: what a request costs, whatever the load generator does',
      }),
      figure({
        name: 'gateway-in-thread',
        unit: 'requests/s',
        ...pairs('perSecond', 'inThread'),
        note: 'Theirs: bare fastify with inference on the thread that serves HTTP, which a slow model stops',
      }),
    ];
  },
};

/** Who goes first alternates. */
async function oneRound(round: number, gateway: Server, bare: Server, inThread: Server): Promise<Round> {
  const turn = (server: Server): Promise<Turn> => fullTurn(server, SECONDS);
  if (round % 2 === 0)
    return { ours: await turn(gateway), bare: await turn(bare), inThread: await turn(inThread) };
  const seen = { inThread: await turn(inThread), bare: await turn(bare) };
  return { ...seen, ours: await turn(gateway) };
}

function wordsOf({ ours, bare, inThread }: Round): string {
  const rates = [ours, bare, inThread].map(({ perSecond }) => Math.round(perSecond)).join(', ');
  const costs = [ours, bare, inThread].map(({ cpu }) => Math.round(cpu)).join(', ');
  return `${rates} requests/s, ${costs} µs of CPU a request (gateway, bare, in-thread)`;
}
