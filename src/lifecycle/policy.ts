import type { VersionRef } from '../contracts/model.js';
import type {
  FindingKind,
  FindingNotice,
  MonitorAction,
  MonitoringSettings,
  PolicyGroup,
} from '../contracts/monitoring.js';
import { rollBackTarget } from './champions.js';
import { incidentsOf, monitoringOf } from './model-incidents.js';
import { isRetiring, type ModelState } from './model-state.js';
import { beganAt } from './waiting-findings.js';

/** A version to put in production, or why that is not possible. */
export type Way = { readonly to: VersionRef } | { readonly refusal: string };

/** What a policy decides from. */
export interface PolicyBasis {
  readonly settings: MonitoringSettings;
  readonly champion: VersionRef | null;
  /** When the champion was promoted, epoch milliseconds; null when it was gone back to, or nothing serves. */
  readonly promotedAt: number | null;
  readonly rollBack: Way;
  readonly fallback: Way;
  /** Why the traffic may not be changed now; null when nothing is under way. */
  readonly busy: string | null;
  /** Findings that were decided on before. */
  readonly decided: ReadonlySet<string>;
  /** No finding that was detected so early starts anything: whether it was decided on is forgotten. ISO 8601. */
  readonly forgottenTo: string | null;
}

export interface HeldBackAction {
  readonly finding: FindingNotice;
  readonly action: MonitorAction;
  readonly reason: string;
}

export interface PolicyDecision {
  /** Findings that had not been decided on before. */
  readonly fresh: readonly FindingNotice[];
  /** To be told of. */
  readonly incidents: readonly {
    readonly finding: FindingNotice;
    readonly holds: boolean;
    /** The policy wants a retraining for such a finding too. */
    readonly retrains: boolean;
  }[];
  /** The one change of traffic. */
  readonly change: {
    readonly action: 'roll-back' | 'fallback';
    readonly to: VersionRef;
    readonly finding: FindingNotice;
    readonly reason: string;
  } | null;
  /** Those that ask for the one retraining: it is asked for by the first, whose change began before the others'. */
  readonly retrain: readonly { readonly finding: FindingNotice; readonly reason: string }[];
  readonly heldBack: readonly HeldBackAction[];
}

const GROUPS: Readonly<Record<FindingKind, PolicyGroup | null>> = {
  'data-drift': 'drift',
  'prediction-drift': 'drift',
  skew: 'drift',
  'estimated-performance': 'performance',
  'measured-performance': 'performance',
  'data-quality': 'quality',
  traffic: 'traffic',
  latency: 'traffic',
  availability: 'availability',
  // Of the monitor, not of the model: people are told, whatever the policy.
  'monitor-silent': null,
};

const policyFor = ({ policy }: MonitoringSettings, { kind }: FindingNotice): readonly MonitorAction[] => {
  const group = GROUPS[kind];
  return group === null ? ['notify'] : policy[group];
};

/** What a finding asks for beside being told: at most one of these. */
type Wish = {
  readonly finding: FindingNotice;
  readonly action: 'roll-back' | 'fallback' | 'retrain';
  readonly reason: string;
};

/**
 * What is done about new findings. A change that began soon after the promotion asks for a rollback, any other for the fallback
 * version or a retraining. Whatever they ask for together, the traffic is changed once at most: going back wins over the fallback
 * version, and either over a retraining, since what is trained would be compared with a champion that is not to serve. A finding
 * that was decided on before leads to nothing. Pure.
 */
export function decidePolicy(basis: PolicyBasis, findings: readonly FindingNotice[]): PolicyDecision {
  const fresh = [...new Map(findings.map((finding) => [finding.id, finding])).values()].filter(
    ({ id }) => !basis.decided.has(id),
  );
  const heldBack: HeldBackAction[] = [];
  const wishes = fresh.flatMap((finding) => wishOf(basis, finding, heldBack) ?? []);
  const first = (action: Wish['action']): Wish | undefined => wishes.find((wish) => wish.action === action);
  const retrain = wishes
    .filter(({ action }) => action === 'retrain')
    .toSorted((a, b) => beganAt(a.finding.onset) - beganAt(b.finding.onset));
  const winner = first('roll-back') ?? first('fallback') ?? retrain[0] ?? null;
  for (const wish of wishes) if (wish !== winner && winner !== null) heldBack.push(lost(wish, winner));
  const incidents = fresh
    .map((finding) => ({ finding, actions: policyFor(basis.settings, finding) }))
    .filter(({ actions }) => actions.some((action) => TOLD.includes(action)))
    .map(({ finding, actions }) => ({
      finding,
      holds: actions.includes('hold'),
      retrains: actions.includes('retrain'),
    }));
  const nothing = { fresh, incidents, change: null, retrain: [], heldBack };
  if (winner === null) return nothing;
  const { finding, action, reason } = winner;
  if (action === 'retrain') return { ...nothing, retrain };
  const way = action === 'roll-back' ? basis.rollBack : basis.fallback;
  return 'to' in way ? { ...nothing, change: { action, to: way.to, finding, reason } } : nothing;
}

/** Of an act on the traffic, and of what holds a release, people are told whether or not the policy says `notify`. */
const TOLD: readonly MonitorAction[] = ['notify', 'hold', 'roll-back', 'fallback'];

const lost = ({ finding, action }: Wish, winner: Wish): HeldBackAction => ({
  finding,
  action,
  reason:
    action === winner.action
      ? `finding ${winner.finding.id} asks for the same`
      : `${WORDS[winner.action]} wins, which finding ${winner.finding.id} asks for`,
});

const WORDS: Readonly<Record<Wish['action'], string>> = {
  'roll-back': 'rolling back',
  fallback: 'the fallback version',
  retrain: 'retraining',
};

/** The one act that a finding leads to by itself; what stands against the others is noted. */
function wishOf(basis: PolicyBasis, finding: FindingNotice, heldBack: HeldBackAction[]): Wish | null {
  const { settings, forgottenTo } = basis;
  const asked = policyFor(settings, finding);
  const soon = soonAfterPromotion(basis, finding);
  const isForgotten = forgottenTo !== null && Date.parse(finding.detectedAt) <= Date.parse(forgottenTo);
  const obstacle = isForgotten
    ? 'it is older than the findings that are remembered'
    : (basis.busy ?? strangerOf(basis, finding));
  for (const action of ['roll-back', 'fallback', 'retrain'] as const) {
    if (!asked.includes(action)) continue;
    const why = obstacle ?? timing(action, soon, asked) ?? wayProblem(basis, action);
    if (why === null) return { finding, action, reason: soon.words };
    // A rollback that is not asked for at this time, because the change is not the promotion's, is no news.
    if (why !== NOT_MEANT) heldBack.push({ finding, action, reason: why });
  }
  return null;
}

const NOT_MEANT = '';

/** Which of rollback and the others is meant goes by when the change began. */
function timing(action: Wish['action'], soon: Soon, asked: readonly MonitorAction[]): string | null {
  if (action === 'roll-back') return soon.is ? null : NOT_MEANT;
  // Of a change that is the promotion's, going back is the cure where it is asked for; where it is not possible, the fallback is.
  if (action === 'retrain' && soon.is)
    return asked.includes('roll-back')
      ? NOT_MEANT
      : `${soon.words}: that asks for a rollback, not for training`;
  return null;
}

function wayProblem({ rollBack, fallback }: PolicyBasis, action: Wish['action']): string | null {
  if (action === 'retrain') return null;
  const way = action === 'roll-back' ? rollBack : fallback;
  return 'refusal' in way ? way.refusal : null;
}

/** A finding of a version that does not serve any more says nothing of the one that does. */
function strangerOf({ champion }: PolicyBasis, { version }: FindingNotice): string | null {
  if (champion === null) return 'no version serves';
  return version === null || version.digest === champion.digest
    ? null
    : `it is about ${version.version}; ${champion.version} serves now`;
}

interface Soon {
  readonly is: boolean;
  /** Why it is taken for so. */
  readonly words: string;
}

function soonAfterPromotion({ settings, promotedAt, champion }: PolicyBasis, finding: FindingNotice): Soon {
  const { onset, detectedAt } = finding;
  const began = onset ?? detectedAt;
  const when = onset === null ? `the change was detected at ${detectedAt}` : `the change began at ${onset}`;
  const version = champion?.version ?? 'nothing';
  if (promotedAt === null) return { is: false, words: `${when}; ${version} serves without a promotion` };
  const promotion = new Date(promotedAt).toISOString();
  const after = Date.parse(began) - promotedAt;
  // An onset is as exact as a window: one that holds the promotion may begin before it.
  const is = after >= -settings.windowSeconds * 1000 && after <= settings.promotionSeconds * 1000;
  const words = `${when}, ${is ? 'soon after' : 'not soon after'} the promotion of ${version} at ${promotion}`;
  return { is, words };
}

/** What a model's policy decides from; null where the manifest turns monitoring off. @param now epoch milliseconds */
export function policyBasis(state: ModelState, now: number): PolicyBasis | null {
  const settings = monitoringOf(state);
  if (settings === null) return null;
  const { decided, forgottenTo } = incidentsOf(state);
  return {
    settings,
    champion: state.champion,
    promotedAt: promotedAt(state),
    rollBack: warmFormer(state, now),
    fallback: fallbackWay(state, settings),
    busy: busyWith(state),
    decided: new Set(decided.map(({ id }) => id)),
    forgottenTo,
  };
}

/** A version that was gone back to has a later time as champion under the number of its own release: that is no promotion. */
function promotedAt({ champion, champions }: ModelState): number | null {
  const [current, ...older] = champions;
  if (champion === null || current === undefined || current.digest !== champion.digest) return null;
  const before = older.some(
    ({ digest, release }) => digest === current.digest && release === current.release,
  );
  return before ? null : Date.parse(current.since);
}

function warmFormer(state: ModelState, now: number): Way {
  const found = rollBackTarget(state, undefined);
  if ('refusal' in found) return found;
  const { target } = found;
  const kept = state.warm.find(({ digest }) => digest === target.digest);
  return kept !== undefined && Date.parse(kept.until) > now
    ? { to: target }
    : { refusal: `${target.version} is not kept loaded any more: going back to it is a person's decision` };
}

function fallbackWay(state: ModelState, { fallbackVersion }: MonitoringSettings): Way {
  if (fallbackVersion === null) return { refusal: 'the manifest names no fallbackVersion' };
  const found = rollBackTarget(state, fallbackVersion);
  return 'refusal' in found ? found : { to: found.target };
}

function busyWith(state: ModelState): string | null {
  if (isRetiring(state)) return 'the model is retired';
  const act = state.pending.find(({ kind }) => kind === 'roll-back' || kind === 'restore');
  return act === undefined ? null : 'going back to a former champion is under way';
}
