import process from 'node:process';
import { runCommand } from './run.js';

// `tenure history employment | head`: a reader that has had enough is no error.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });

process.exitCode = await runCommand(process.argv.slice(2), process);
