#!/usr/bin/env node
// In a checkout the source, so that no old build hides a change; in an image, which has no source, the build.
import { existsSync } from 'node:fs';

const source = new URL('../src/client/command/main.ts', import.meta.url);
if (existsSync(source)) {
  const { register } = await import('tsx/esm/api');
  register();
  await import(source.href);
} else {
  await import(new URL('../dist/src/client/command/main.js', import.meta.url).href);
}
