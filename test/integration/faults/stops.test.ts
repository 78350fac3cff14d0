import { sideBySide } from '../../support/faults/side-by-side.js';
import { connectionHangs } from './scenarios/connection-hangs.js';
import { gatewayStopped } from './scenarios/gateway-stopped.js';
import { mongodStopped } from './scenarios/mongod-stopped.js';
import { temporalStopped } from './scenarios/temporal-stopped.js';
import { workerStopped } from './scenarios/worker-stopped.js';

describe('what is stopped for 90 s and continued, or hangs', function () {
  this.timeout(400_000);
  sideBySide({
    'a worker that wakes in the middle of an act that others have done and overtaken does nothing':
      workerStopped,
    'a gateway that wakes with an old table answers by the champion, and was counted out no sooner than its lease':
      gatewayStopped,
    'a MongoDB that hangs takes candidates away, people are told without it, and what it does late is done once':
      mongodStopped,
    'a Temporal that hangs decides nothing and costs no user anything; it is named': temporalStopped,
    'connections to MongoDB that hang instead of closing are told of, and what arrives late is done once':
      connectionHangs,
  });
});
