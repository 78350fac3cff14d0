/** Runs a module with a CPU profile of the main thread, written when the process exits. Arguments: module's URL, file, the module's own. */
import { writeFileSync } from 'node:fs';
import { type Profiler, Session } from 'node:inspector';

const [, , module = '', file = '', ...args] = process.argv;
process.argv.splice(2, process.argv.length, ...args);

const session = new Session();
session.connect();
session.post('Profiler.enable');
session.post('Profiler.setSamplingInterval', { interval: 500 });
session.post('Profiler.start');
process.once('exit', () => {
  // Within one process the answer comes before `post` returns.
  session.post('Profiler.stop', (error: Error | null, { profile }: Profiler.StopReturnType) => {
    if (error === null) writeFileSync(file, JSON.stringify(profile));
  });
});
await import(module);
