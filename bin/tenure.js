#!/usr/bin/env node
// The compiled command when there is a build, else its source: a checkout works without one.
import { existsSync } from 'node:fs';

const compiled = new URL('../dist/src/client/command/main.js', import.meta.url);
if (existsSync(compiled)) {
  await import(compiled.href);
} else {
  const { register } = await import('tsx/esm/api');
  register();
  await import(new URL('../src/client/command/main.ts', import.meta.url).href);
}
