import { strict as assert } from 'node:assert';
import { ConfigError, loadConfig } from '../../src/config.js';

describe('loadConfig', () => {
  it('has a default for everything, all of it on loopback and in one folder', () => {
    const config = loadConfig({});
    assert.equal(config.temporal, null);
    assert.equal(config.mongodbUri, null);
    assert.equal(config.namespace, 'default');
    assert.equal(config.gateway.host, '127.0.0.1');
    assert.ok(config.artifacts.startsWith(config.home));
  });

  it('takes an empty variable for one that is not set', () => {
    assert.equal(loadConfig({ MONGODB_URI: '', TEMPORAL_ADDRESS: '' }).mongodbUri, null);
  });

  it('points to a Temporal and a MongoDB of one’s own', () => {
    const config = loadConfig({
      TEMPORAL_ADDRESS: 'temporal.example:7233',
      TEMPORAL_NAMESPACE: 'models',
      TEMPORAL_API_KEY: 'secret-key',
      MONGODB_URI: 'mongodb://example/?replicaSet=rs0',
    });
    assert.equal(config.temporal?.address, 'temporal.example:7233');
    assert.equal(config.namespace, 'models');
    assert.equal(config.temporal?.connection.apiKey, 'secret-key');
    assert.equal(config.mongodbUri, 'mongodb://example/?replicaSet=rs0');
  });

  const wrong: readonly [string, string, RegExp][] = [
    ['TENURE_GATEWAY_PORT', '70000', /TENURE_GATEWAY_PORT is "70000"/],
    ['TENURE_GATEWAY_PORT', 'http', /TENURE_GATEWAY_PORT is "http"/],
    ['TENURE_GATEWAY_FLUSH_SECONDS', '0', /TENURE_GATEWAY_FLUSH_SECONDS is "0".*0\.5/],
    ['TENURE_REPORT_AT', '24:00', /TENURE_REPORT_AT is "24:00": must be HH:MM \(UTC\), or off/],
    ['TENURE_LOG_LEVEL', 'loud', /TENURE_LOG_LEVEL is "loud".*debug/s],
    ['TENURE_DATABASE', 'a b', /TENURE_DATABASE is "a b": must be 1 to 38/],
    ['TENURE_GATEWAY_ID', 'Gate Way', /TENURE_GATEWAY_ID/],
  ];
  for (const [name, value, message] of wrong)
    it(`refuses ${name}=${value}`, () => {
      assert.throws(
        () => loadConfig({ [name]: value }),
        (error) => error instanceof ConfigError && message.test(error.message),
      );
    });

  it('never quotes a connection string, which may hold a password', () => {
    assert.throws(
      () => loadConfig({ MONGODB_URI: 'postgres://me:hunter2@example' }),
      (error) =>
        error instanceof ConfigError &&
        !error.message.includes('hunter2') &&
        error.message.includes('MONGODB_URI'),
    );
  });
});
