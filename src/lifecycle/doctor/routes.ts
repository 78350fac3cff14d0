import type { Difference, ModelParts } from '../../contracts/doctor.js';
import { releaseWorkflowId } from '../../contracts/ids.js';
import type { RoutingTable } from '../../contracts/routes.js';
import { actOfChange } from '../recovery/acts.js';
import { type DoctorFacts, named } from './facts.js';
import { isAtWork, ownerOf } from './work.js';

const REALIGN =
  '`tenure doctor --repair` sets the table again from the state of the model, read back; a release in flight is aborted first';

/** The routing table against the acts on record. */
export function routeDifferences(facts: DoctorFacts): readonly Difference[] {
  const { parts, acts } = facts;
  const { model, table } = parts;
  if (table === null) {
    if (acts.generation === 0) return [];
    return [
      {
        code: 'route-missing',
        model,
        subject: '',
        severity: 'critical',
        expected: `a routing table: generation ${acts.generation} is on record`,
        found: 'there is none',
        advice: `Gateways serve by the table that they have until they are restarted. ${REALIGN}`,
        remedy: 'realign',
      },
    ];
  }
  const wrong = whatIsWrong(facts, table);
  if (wrong === null) return [];
  return [
    {
      code: 'route-differs',
      model,
      subject: '',
      severity: 'critical',
      ...wrong,
      advice: `It was changed past Tenure, or restored. ${REALIGN}`,
      remedy: 'realign',
    },
  ];
}

type Wrong = Pick<Difference, 'expected' | 'found'>;

function whatIsWrong(facts: DoctorFacts, table: RoutingTable): Wrong | null {
  const { parts, acts } = facts;
  const { generation, changeId } = table;
  const id = actOfChange(changeId);
  const act = acts.acts.find((known) => known.id === id);
  const busy = ownerOf(parts) !== null || isAtWork(parts);
  if (generation < acts.generation)
    return {
      expected: `generation ${acts.generation}, which is on record`,
      found: `generation ${generation}`,
    };
  if (act === undefined)
    // An act towards safety does not wait for the ledger: its record may still be carried.
    return isAtWork(parts) || isOwners(parts, changeId)
      ? null
      : {
          expected: 'a table that an act on record has made',
          found: `generation ${generation} by ${changeId}`,
        };
  const made = act.made.find((one) => one.generation === generation);
  if (made === undefined)
    return busy && act.made.length === 0
      ? null
      : {
          expected: `a table whose act is seen done`,
          found: `generation ${generation} by ${changeId}, which has no outcome on record`,
        };
  if (made.table !== null)
    return made.table === parts.tableHash
      ? null
      : {
          expected: `generation ${generation} as ${act.action} has set it`,
          found: `another content: ${described(table)}`,
        };
  return undocumented(facts, table);
}

/** Made by the release in flight, whose word may still be on its way. */
function isOwners(parts: ModelParts, changeId: string): boolean {
  const owner = ownerOf(parts);
  return owner !== null && changeId.startsWith(`${releaseWorkflowId(parts.model, owner)}/`);
}

/** The record of that time holds no hash of the table: what it says about who serves is compared. */
function undocumented(facts: DoctorFacts, table: RoutingTable): Wrong | null {
  const { parts, recorded } = facts;
  const { state } = recorded;
  if (state === null || ownerOf(parts) !== null || isAtWork(parts)) return null;
  const sendsElsewhere = table.candidate !== null || table.holdback !== null || table.shadow !== null;
  return table.champion?.digest === state.champion?.digest && !sendsElsewhere
    ? null
    : { expected: `all traffic to ${named(state.champion)}`, found: described(table) };
}

function described({ champion, candidate, holdback, shadow }: RoutingTable): string {
  const others = [
    ...(candidate === null ? [] : [`${share(candidate.weight)} to ${named(candidate)}`]),
    ...(holdback === null ? [] : [`${share(holdback.share)} held back on ${named(holdback)}`]),
    ...(shadow === null ? [] : [`copies to ${named(shadow)}`]),
  ];
  return [`${named(champion)} serves`, ...others].join(', ');
}

const share = (value: number): string => `${Math.round(value * 10_000) / 100} %`;

/** A gateway reads about every second; loading a version takes longer. */
const STALE_SECONDS = 20;

/** Live gateways against the routing table. */
export function gatewayDifferences({ parts }: DoctorFacts): readonly Difference[] {
  const { model, table, gateways, now } = parts;
  if (table === null || now - Date.parse(table.changedAt) < STALE_SECONDS * 1_000) return [];
  return gateways.flatMap(({ gateway, startedAt, observed }) => {
    if (observed?.generation === table.generation) return [];
    if (now - Date.parse(startedAt) < STALE_SECONDS * 1_000) return [];
    const failed = observed?.failed.map(({ digest, reason }) => `${digest.slice(0, 12)}: ${reason}`) ?? [];
    const has = observed === null ? 'nothing of the model' : `generation ${observed.generation}`;
    return [
      {
        code: 'gateway-stale',
        model,
        subject: gateway,
        severity: 'critical',
        expected: `generation ${table.generation} in force`,
        found: `${has}${failed.length === 0 ? '' : `; cannot load ${failed.join('; ')}`}`,
        advice:
          failed.length === 0
            ? 'Look at its log and restart it: it is alive and does not take the table'
            : 'Put the artifact back (see artifact-missing), or restart the gateway',
        remedy: null,
      } satisfies Difference,
    ];
  });
}
