import { sideBySide } from '../../support/faults/side-by-side.js';
import { clocksThatJump } from './scenarios/clocks.js';
import { fullDisks } from './scenarios/full-disks.js';
import { hourAlone } from './scenarios/hour-alone.js';
import { mongodFull } from './scenarios/mongod-full.js';
import { slowDisks } from './scenarios/slow-disks.js';
import { staleGateway } from './scenarios/stale-gateway.js';
import { stepDown } from './scenarios/step-down.js';
import { twoGateways } from './scenarios/two-gateways.js';

describe('what fails half', function () {
  this.timeout(400_000);
  sideBySide({
    'of two gateways one is killed, one cut off: no answer is lost, a rollback waits for the lease':
      twoGateways,
    'a gateway that stays on an old generation holds up promotion and rollback, and is named': staleGateway,
    'a step-down of MongoDB delays a rollback, of which people are told': stepDown,
    'clocks of worker and gateway that jump by an hour shorten no step and end no canary': clocksThatJump,
    'full disks are named, users are answered, what is lost is counted': fullDisks,
    'a MongoDB whose disk is full ends, and the release goes on when there is room': mongodFull,
    'slow disks hold up neither answers nor leases': slowDisks,
    'an hour without worker, Temporal and MongoDB is served by the champion and counted once': hourAlone,
  });
});
