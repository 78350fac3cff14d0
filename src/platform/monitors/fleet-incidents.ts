import type { Collection, Db } from 'mongodb';
import type { IncidentInput } from '../../contracts/incidents.js';
import { effect } from '../../fail-points/index.js';
import { isDuplicateKey } from '../mongo/errors.js';

/** An incident of the fleet: no model's workflow keeps it, so it is kept here. */
export interface FleetIncident {
  readonly incident: number;
  /** What its workflow is started with. */
  readonly input: IncidentInput;
  /** Ids of those that its workflow was told of, oldest first. */
  readonly findings: readonly string[];
  /** Its workflow was. */
  readonly started: boolean;
  /** Its workflow has ended: what comes is another incident. */
  readonly over: boolean;
}

/** `_id` is the number. */
interface FleetIncidentDocument extends Omit<FleetIncident, 'incident'> {
  readonly _id: number;
}

const ANSWER = { timeoutMS: 20_000 } as const;

/** Incidents that belong to no model, one after the other, in MongoDB. */
export class FleetIncidents {
  readonly #incidents: Collection<FleetIncidentDocument>;

  constructor(db: Db) {
    this.#incidents = db.collection('fleetIncidents');
  }

  /** Null when there never was one. */
  async newest(): Promise<FleetIncident | null> {
    const found = await this.#incidents.findOne({}, { sort: { _id: -1 }, ...ANSWER });
    if (found === null) return null;
    const { _id: incident, ...rest } = found;
    return { incident, ...rest };
  }

  /** The next one after this, which was the newest: of several who do it at once one is first, and it is that one's. */
  async begin(after: number, input: Omit<IncidentInput, 'opening'>, opening: Opening): Promise<void> {
    const { findings } = opening;
    const _id = after + 1;
    const whole = { ...input, opening: { ...opening, incident: _id } };
    await effect('fleet.begin', () =>
      this.#insert({ _id, input: whole, findings, started: false, over: false }),
    );
  }

  /** Its workflow was told of these too. */
  async attach({ incident: _id }: FleetIncident, findings: readonly string[]): Promise<void> {
    await effect('fleet.attach', () =>
      this.#incidents.updateOne({ _id }, { $addToSet: { findings: { $each: [...findings] } } }, ANSWER),
    );
  }

  async started({ incident: _id }: FleetIncident): Promise<void> {
    await effect('fleet.started', () =>
      this.#incidents.updateOne({ _id }, { $set: { started: true } }, ANSWER),
    );
  }

  async over({ incident: _id }: FleetIncident): Promise<void> {
    await effect('fleet.over', () => this.#incidents.updateOne({ _id }, { $set: { over: true } }, ANSWER));
  }

  /** Its number turned out to be somebody else's: it gets the next. Who dies in between leaves none, and it is begun once more. */
  async renumber({ incident, input, findings }: FleetIncident): Promise<void> {
    const gone = await effect('fleet.renumber', () =>
      this.#incidents.deleteOne({ _id: incident, started: false }, ANSWER),
    );
    if (gone.deletedCount === 1) await this.begin(incident, input, { ...input.opening, findings });
  }

  async #insert(document: FleetIncidentDocument): Promise<void> {
    try {
      await this.#incidents.insertOne(document, ANSWER);
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
    }
  }
}

type Opening = Omit<IncidentInput['opening'], 'incident'>;
