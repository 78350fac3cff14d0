/**
 * The tests' servers begin and end in hooks of the test runner, which is not there in a script. To be imported before what brings
 * hooks along: modules are run in the order in which they are named.
 */
type Hook = () => unknown;

const hooks = { before: [] as Hook[], after: [] as Hook[] };

const keep =
  (name: keyof typeof hooks) =>
  (...given: readonly unknown[]): void => {
    hooks[name].push((given.at(-1) as Hook).bind({ timeout: () => undefined }));
  };

Object.assign(globalThis, { before: keep('before'), after: keep('after'), afterEach: () => undefined });

/** Does what a suite prepares, once each. */
export async function runBefore(): Promise<void> {
  for (const prepare of hooks.before.splice(0)) await prepare();
}

/** Ends the servers. */
export async function runAfter(): Promise<void> {
  for (const teardown of hooks.after.splice(0)) await teardown();
}
