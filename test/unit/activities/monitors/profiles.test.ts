import assert from 'node:assert/strict';
import { Profiles } from '../../../../src/activities/monitors/profiles.js';
import {
  HeldProfiles,
  type ProfileStore,
  type StoredProfile,
} from '../../../../src/platform/profiles/index.js';
import { createRandom } from '../../../support/random.js';
import { MadeModel } from '../../statistics/monitor/made-model.js';

const { profile } = new MadeModel(createRandom(1), 1, 300).profile;

/** As read with such lacks. */
function read(lacks: readonly string[]) {
  const stored: StoredProfile = {
    digest: 'f'.repeat(64),
    madeAt: '2026-11-28T10:00:00.000Z',
    content: {
      format: 1,
      model: 'employment',
      artifact: '1'.repeat(64),
      data: 'd'.repeat(64),
      sources: [],
      score: null,
      lacks,
      profile: { ...profile, score: null },
    },
  };
  const store = { get: async () => stored, newestDigest: async () => stored.digest };
  const profiles = new Profiles(new HeldProfiles(store as unknown as ProfileStore));
  return profiles.of({ model: 'employment', champion: { digest: '1'.repeat(64) } }, [], null);
}

describe('the profile that monitors judge by', () => {
  it('says why it has no score, where its maker said so', async () => {
    const lacks = ['scores: it has 20 values a row', 'scores: 299 rows do not make 10 chunks of at least 30'];
    assert.equal((await read(lacks))?.scoreLack, '299 rows do not make 10 chunks of at least 30');
    assert.equal('scoreLack' in ((await read(['note: it is free text'])) ?? {}), false);
  });
});
