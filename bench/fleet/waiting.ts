/** Releases that wait for a second approver, so that clients have something to decide on. */
import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { registerFile } from '../../src/client/models.js';
import type { Session } from '../../src/client/session.js';
import { approvalBy } from '../../test/support/manifests.js';
import { labelledRows, MODELS, shortManifest } from '../../test/support/release-plan.js';

export interface WaitingRelease {
  readonly model: string;
  readonly release: number;
}

/** Who decides again and again; the other never does. */
export const APPROVER = 'beatrice';
const PATIENCE_MS = 300_000;

/** @returns when all of them wait */
export async function placeWaiting(
  session: Session,
  folder: string,
  count: number,
): Promise<readonly WaitingRelease[]> {
  const tenure = await session.tenure();
  const { digest } = await session.artifacts().put(Buffer.from(labelledRows()));
  const placed: WaitingRelease[] = [];
  for (let i = 0; i < count; i += 1) {
    const model = `waiting-${i}`;
    const file = join(folder, 'files', model, 'v1.onnx');
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(file, MODELS.v1);
    const approval = { beforeDeploy: approvalBy(2, APPROVER, 'carl'), beforePromote: null };
    await tenure.applyManifest(shortManifest(model, digest, { approval }));
    await registerFile(session, model, 'v1', file, { requestId: randomUUID() });
    const { release } = await tenure.submitRelease(model, 'v1');
    placed.push({ model, release });
  }
  const end = performance.now() + PATIENCE_MS;
  for (const { model, release } of placed) {
    while ((await tenure.release(model, release)).approval === null) {
      if (performance.now() > end)
        throw new Error(`Release ${release} of ${model} does not ask for approval`);
      await sleep(200);
    }
  }
  return placed;
}
