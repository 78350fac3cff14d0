import { getExternalWorkflowHandle, isCancellation, log, patched } from '@temporalio/workflow';
import { modelWorkflowId } from '../../contracts/ids.js';
import type { Trouble } from '../../contracts/incidents.js';
import { troubleReported } from '../../contracts/messages.js';
import type { ReleaseInput } from '../../lifecycle/release-state.js';
import { describeFailure } from '../support/failures.js';
import type { ParkingLot, Troubles } from '../support/parking.js';

/** Its model makes incidents of what happens to the release. */
export const hasIncidents = ({ manifest }: ReleaseInput): boolean =>
  // A manifest from before there was monitoring has none.
  ((manifest as Partial<typeof manifest>).monitoring ?? null) !== null && patched('troubles-are-incidents');

/**
 * What a release's acts fail at is told to its model, which makes incidents of it; where the model does not take it, it is an alert.
 * @param parking of the release; asked for later, since it is made with these
 */
export function releaseTroubles(input: ReleaseInput, parking: () => ParkingLot): Troubles {
  const begun = new Map<string, Omit<Trouble, 'at' | 'over'>>();
  const send = async (trouble: Trouble): Promise<boolean> => {
    try {
      await getExternalWorkflowHandle(modelWorkflowId(input.model)).signal(troubleReported, trouble);
      return true;
    } catch (error) {
      if (isCancellation(error)) throw error;
      log.warn('The model did not take the trouble', { reason: describeFailure(error) });
      return false;
    }
  };
  return {
    begin: ({ origin, what, severity, title, text, key }) => {
      if (!hasIncidents(input)) return false;
      const { release } = input;
      const cause = `${origin}/release-${release}/${what}`.slice(0, 300);
      const trouble = { release, origin, cause, severity, title, text };
      begun.set(cause, trouble);
      parking().carry(async () => {
        const isTaken = await send({ ...trouble, at: new Date().toISOString(), over: false });
        if (!isTaken) parking().tell(key, severity, title, text);
      });
      return true;
    },
    end: (origin, what) => {
      const cause = `${origin}/release-${input.release}/${what}`.slice(0, 300);
      const trouble = begun.get(cause);
      if (trouble === undefined) return;
      begun.delete(cause);
      parking().carry(async () => {
        await send({ ...trouble, at: new Date().toISOString(), over: true });
      });
    },
  };
}
