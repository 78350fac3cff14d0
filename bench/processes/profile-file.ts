/** Profiles a file of rows, counts another in its bins and judges it. Made rows as JSON in the first argument. */

process.stdout.write(`${JSON.stringify(await measured())}\n`);

// Imported late: what loading takes is told apart, as it is of the other tools.
async function measured(): Promise<object> {
  const { profileAndJudge } = await import('../profile/ours.js');
  const [imported, importing] = [performance.now() / 1_000, cpuSeconds()];
  const drifted = await profileAndJudge(JSON.parse(process.argv[2] ?? ''));
  return {
    imports: imported,
    work: performance.now() / 1_000 - imported,
    cpu: cpuSeconds() - importing,
    memory: process.resourceUsage().maxRSS / 1_024,
    drifted,
  };
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
