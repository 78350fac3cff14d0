/**
 * Sends a signal to a process group that this process made. One that is gone is fine.
 * @param leader pid of its first process
 */
export function signalGroup(leader: number, name: NodeJS.Signals): void {
  try {
    process.kill(-leader, name);
  } catch (error) {
    // ESRCH: gone; EPERM: gone but for its last remains, on some systems.
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
}
