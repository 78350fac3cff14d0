import type { Db } from 'mongodb';
import { type CollectionPlan, RECORDED } from '../../src/platform/mongo/plan.js';

interface Person {
  readonly _id: number;
  readonly name?: string;
  readonly first?: string;
  readonly last?: string;
  readonly initials?: string;
}

const people = (db: Db) => db.collection<Person>('people');

/** A collection that has come to version 3: the names of version 1 in two fields, then initials. In batches, like a real one. */
export const PEOPLE: CollectionPlan = {
  name: 'people',
  migrations: [
    RECORDED,
    {
      what: 'first and last name are fields of their own',
      run: async (db) => {
        for (;;) {
          const batch = await people(db)
            .find({ name: { $exists: true } }, { limit: 7, sort: { _id: 1 } })
            .toArray();
          if (batch.length === 0) return;
          for (const { _id, name = '' } of batch) {
            const [first = '', last = ''] = name.split(' ');
            await people(db).updateOne({ _id }, { $set: { first, last }, $unset: { name: '' } });
          }
        }
      },
    },
    {
      what: 'initials',
      run: async (db) => {
        const initial = (field: string) => ({ $substrCP: [field, 0, 1] });
        await people(db).updateMany({ initials: { $exists: false } }, [
          { $set: { initials: { $concat: [initial('$first'), initial('$last')] } } },
        ]);
      },
    },
  ],
  revision: 1,
  validator: { $jsonSchema: { bsonType: 'object', required: ['_id', 'first', 'last', 'initials'] } },
  indexes: [{ name: 'last', key: { last: 1 } }],
};

/** What stood in the time of version 1, which no schema version says. */
export const OLD_PEOPLE = Array.from({ length: 20 }, (_, i) => ({ _id: i, name: `Ada${i} Moreau${i}` }));
export const NEW_PEOPLE = OLD_PEOPLE.map(({ _id }) => ({
  _id,
  first: `Ada${_id}`,
  last: `Moreau${_id}`,
  initials: 'AM',
}));
