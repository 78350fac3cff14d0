import { condition } from '@temporalio/workflow';
import type { ApprovalGate } from '../../contracts/approvals.js';
import type { ApprovalPoint } from '../../contracts/manifest.js';
import { approvalPoint, askedInWords } from '../../lifecycle/approvals.js';
import { isHistoryLong } from '../support/continuing.js';
import { run } from '../support/run.js';
import type { ApprovalDesk } from './approval-desk.js';
import type { ReleaseContext } from './context.js';
import { Ending } from './ending.js';

/**
 * Where a gate stands; opens the request when it is due.
 * @param evidence what people decide on; recorded, and bound to their decisions by its hash
 * @param held a canary that only a person can promote
 * @throws Ending `rejected`: by a person, or because no quorum came in time
 */
export async function clearGate(
  context: ReleaseContext,
  desk: ApprovalDesk,
  gate: ApprovalGate,
  evidence: Readonly<Record<string, unknown>>,
  held: boolean,
): Promise<'cleared' | 'waiting'> {
  const { state } = context;
  if (state.approved[gate]) return 'cleared';
  const point = approvalPoint(state.input.manifest, gate, held);
  if (point === null) return pass(context, gate);
  if (state.approval?.gate !== gate) await open(context, desk, gate, point, evidence);
  switch (desk.status) {
    case 'approved':
      context.recorder.add(
        context.entry(
          context.id(`approved/${gate}`, Math.max(1, context.count(opened(gate)))),
          'release.approved',
          { approval: state.approval },
        ),
      );
      return pass(context, gate);
    case 'rejected':
      throw new Ending(
        'rejected',
        `rejected by ${state.approval?.rejection?.approver}: ${state.approval?.rejection?.reason}`,
      );
    case 'expired':
      throw new Ending('rejected', 'approval-expired');
    case 'waiting':
    case 'none':
      return 'waiting';
  }
}

/** Counts the requests of a gate. */
const opened = (gate: ApprovalGate): string => `approval/${gate}`;

/** What was approved before does not hold for what is asked now. */
export function askAgain(context: ReleaseContext, gate: ApprovalGate): void {
  const { state } = context;
  // Releases that asked before requests were counted have asked once.
  if (state.approved[gate] && context.count(opened(gate)) === 0) context.next(opened(gate));
  state.approved[gate] = false;
  state.approval = null;
}

function pass(context: ReleaseContext, gate: ApprovalGate): 'cleared' {
  context.state.approved[gate] = true;
  context.state.approval = null;
  return 'cleared';
}

async function open(
  context: ReleaseContext,
  desk: ApprovalDesk,
  gate: ApprovalGate,
  point: ApprovalPoint,
  evidence: Readonly<Record<string, unknown>>,
): Promise<void> {
  const { quorum, requiredRoles, approvers } = point;
  await context.recorder.flush();
  const entry = context.entry(
    context.id(`approval/${gate}`, context.next(opened(gate))),
    'release.approval-requested',
    {
      gate,
      quorum,
      requiredRoles,
      approvers: approvers.map((approver) => approver.name),
      ...evidence,
    },
  );
  const head = await context.parking.untilDone('record in the ledger', () =>
    run('recordEvents', `record release.approval-requested`, { entries: [entry] }),
  );
  context.recorder.see(head);
  desk.open(gate, point, head.hash);
  const { approval } = context.state;
  if (approval !== null) await context.moveTo('awaiting-approval', askedInWords(approval));
}

/** Waits for people, where nothing else has to be watched meanwhile. Returns early when the history has grown long. */
export async function awaitDecision(context: ReleaseContext, desk: ApprovalDesk): Promise<void> {
  const expiresAt = context.state.approval?.expiresAt;
  if (expiresAt === undefined) return;
  const { historyLimit } = context.state.input;
  const left = Math.max(0, Date.parse(expiresAt) - Date.now());
  await condition(() => desk.status !== 'waiting' || isHistoryLong(historyLimit), left, {
    summary: 'approval expires',
  });
}
