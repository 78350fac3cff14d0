// Node 20 does not hand the loader's hooks on to worker threads, later versions do: it is registered only where it is missing.
try {
  await import('./worker.ts');
} catch (error) {
  if (error.code !== 'ERR_UNKNOWN_FILE_EXTENSION') throw error;
  const { register } = await import('tsx/esm/api');
  register();
  await import('./worker.ts?tsx');
}
