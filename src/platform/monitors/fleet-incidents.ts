import type { Collection, Db } from 'mongodb';
import type { IncidentInput } from '../../contracts/incidents.js';
import { effect } from '../../fail-points/index.js';
import { isDuplicateKey } from '../mongo/errors.js';

/**
 * - `open`: its cause is there;
 * - `resolved`: its workflow was told that the cause is gone, and may still wait whether it returns;
 * - `over`: its workflow has ended. What comes then is another incident.
 */
type Standing = 'open' | 'resolved' | 'over';

/** `_id` is the number. */
interface FleetIncidentDocument {
  readonly _id: number;
  readonly cause: string;
  readonly input: IncidentInput;
  readonly findings: readonly string[];
  readonly told: readonly string[];
  readonly standing: Standing;
}

/** An incident of the fleet: no model's workflow keeps it, so it is kept here. */
export interface FleetIncident extends Omit<FleetIncidentDocument, '_id'> {
  readonly incident: number;
  /** Ids, oldest first: each belongs to one incident. */
  readonly findings: readonly string[];
  /** Those that its workflow knows of. With the first it was started. */
  readonly told: readonly string[];
}

const ANSWER = { timeoutMS: 20_000 } as const;

/** Incidents that belong to no model, in MongoDB: which cause has which number, and what is still to be told to its workflow. */
export class FleetIncidents {
  readonly #incidents: Collection<FleetIncidentDocument>;

  constructor(db: Db) {
    this.#incidents = db.collection('fleetIncidents');
  }

  /** The newest one of a cause; null when there never was one. */
  async newest(cause: string): Promise<FleetIncident | null> {
    const found = await this.#incidents.findOne({ cause }, { sort: { _id: -1 }, ...ANSWER });
    if (found === null) return null;
    const { _id: incident, ...rest } = found;
    return { incident, ...rest };
  }

  /**
   * Another incident, with the next number. Of several who do it at once for the same finding one is first.
   * @param inputOf what its workflow is started with
   * @param beyond a number that is taken, though not here
   */
  async begin(
    cause: string,
    finding: string,
    inputOf: (incident: number) => IncidentInput,
    beyond = 0,
  ): Promise<void> {
    const last = await this.#incidents.findOne({}, { sort: { _id: -1 }, ...ANSWER });
    const _id = Math.max(last?._id ?? 0, beyond) + 1;
    const document = {
      _id,
      cause,
      input: inputOf(_id),
      findings: [finding],
      told: [],
      standing: 'open' as const,
    };
    await effect('fleet.begin', async () => {
      try {
        await this.#incidents.insertOne(document, ANSWER);
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
      }
    });
  }

  /** One more finding of the same cause; nothing where it is over by now, or the finding belongs to another incident. */
  async attach({ incident: _id }: FleetIncident, finding: string): Promise<void> {
    await effect('fleet.attach', async () => {
      try {
        await this.#incidents.updateOne(
          { _id, standing: { $ne: 'over' } },
          { $addToSet: { findings: finding }, $set: { standing: 'open' } },
          ANSWER,
        );
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
      }
    });
  }

  /** Its workflow knows of this finding. */
  async told({ incident: _id }: FleetIncident, finding: string): Promise<void> {
    await effect('fleet.told', () =>
      this.#incidents.updateOne({ _id }, { $addToSet: { told: finding } }, ANSWER),
    );
  }

  /**
   * Its workflow was told that the cause is gone. A finding that came meanwhile is told again, since its workflow may have heard of it
   * before of that.
   */
  async resolved({ incident: _id, findings }: FleetIncident): Promise<void> {
    await effect('fleet.resolved', () =>
      this.#incidents.updateOne(
        { _id, standing: 'open' },
        [
          {
            $set: {
              standing: {
                $cond: [{ $eq: ['$findings', { $literal: [...findings] }] }, 'resolved', '$standing'],
              },
              told: { $setIntersection: ['$told', { $literal: [...findings] }] },
            },
          },
        ],
        ANSWER,
      ),
    );
  }

  /** Its workflow has ended. @param untold findings that it has not heard of: they are for the next incident */
  async over({ incident: _id }: FleetIncident, untold: readonly string[]): Promise<void> {
    await effect('fleet.over', () =>
      this.#incidents.updateOne(
        { _id },
        { $set: { standing: 'over' }, $pull: { findings: { $in: [...untold] } } },
        ANSWER,
      ),
    );
  }

  /** The number is taken by a workflow of somebody else's, as where two installations share a namespace: it gets the next. */
  async renumber({ incident: _id, cause, input, findings }: FleetIncident): Promise<void> {
    const [first] = findings;
    await effect('fleet.renumber', () => this.#incidents.deleteOne({ _id, told: [] }, ANSWER));
    if (first === undefined) return;
    const again = (incident: number): IncidentInput => ({
      ...input,
      opening: { ...input.opening, incident },
    });
    await this.begin(cause, first, again, _id);
  }
}
