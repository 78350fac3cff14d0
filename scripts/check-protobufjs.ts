/** With two copies of protobufjs, replaying a history fails with "type must be a Type": the packages that share types must share one. */
import { createRequire } from 'node:module';

const OWNERS = ['@temporalio/proto', '@temporalio/common', '@temporalio/worker'];

const require = createRequire(import.meta.url);
const found = OWNERS.map((owner) => {
  const resolved = createRequire(require.resolve(owner)).resolve('protobufjs/package.json');
  const { version } = require(resolved) as { version: string };
  return { owner, resolved, version };
});
if (new Set(found.map(({ resolved }) => resolved)).size > 1) {
  for (const { owner, version } of found)
    process.stderr.write(`${owner} uses its own protobufjs ${version}\n`);
  process.stderr.write('Set one exact version of protobufjs in package.json that suits them all\n');
  process.exitCode = 1;
} else process.stdout.write(`protobufjs ${found[0]?.version}, one copy\n`);
