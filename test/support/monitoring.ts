import type { MonitoringSettings } from '../../src/contracts/monitoring.js';

/** Windows of an hour, two years between false findings. */
export function monitoring(overrides: Partial<MonitoringSettings> = {}): MonitoringSettings {
  return {
    windowSeconds: 3600,
    falseFindingSeconds: 2 * 365 * 86_400,
    minRows: 50,
    material: 0.05,
    season: 'none',
    ignore: [],
    performance: { metric: 'auc', margin: 0.02 },
    samples: { share: 0, retainSeconds: 3600 },
    labelSeconds: 86_400,
    policy: {
      drift: ['notify'],
      performance: ['notify'],
      quality: ['notify'],
      traffic: [],
      availability: ['notify'],
    },
    promotionSeconds: 86_400,
    fallbackVersion: null,
    revalidateSeconds: null,
    incidents: { clearWindows: 3, escalation: [], reportSeconds: null },
    ...overrides,
  };
}
