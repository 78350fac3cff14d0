import type { Bench } from '../bench.js';
import { figure } from '../figure.js';
import { load } from '../support/load.js';
import { quantile, sideBySide } from '../support/rounds.js';
import { CONNECTIONS, fullTurn, PATH, REQUESTS, type Server, startPair } from './pair.js';

const ROUNDS = 9;
const SECONDS = 4;
/** Share of what bare fastify can do: a server near its limit shows its queue, not its time. */
const SHARE = 1 / 3;

export const p99: Bench = {
  name: 'gateway-p99',
  what: '99th percentile of the time to answer at the same rate of requests, beside bare fastify with the same model on the same threads',
  figures: ['gateway-p99'],
  async run(context) {
    const rounds = context.rounds ?? ROUNDS;
    const { gateway, bare } = await startPair(context);
    // Both are warm then.
    await fullTurn(gateway, SECONDS);
    const { perSecond } = await fullTurn(bare, SECONDS);
    const rate = Math.max(10, Math.round(perSecond * SHARE));
    context.say(`${rate} requests/s, a third of what bare fastify answers`);
    const turn = async ({ url }: Server): Promise<number> => {
      const target = { url, path: PATH, requests: REQUESTS, connections: 4 * CONNECTIONS, seconds: SECONDS };
      const { latencies } = await load({ kind: 'open', ...target, rate, settleSeconds: 0.5, timed: {} });
      return quantile(latencies, 0.99);
    };
    const seen = await sideBySide({
      rounds,
      ours: () => turn(gateway),
      theirs: () => turn(bare),
      onRound: context.say,
    });
    return [
      figure({
        name: 'gateway-p99',
        unit: 'ms',
        ...seen,
        note: `At ${rate} requests/s, timed from when each was due, ${rounds} rounds`,
      }),
    ];
  },
};
