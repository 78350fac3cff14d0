export type { Alert, AlertChannel, AlertDesk } from './alerts.js';
export { DEFAULT_FLEET } from './fleet.js';
export { withLinks } from './links.js';
export { logChannel } from './log-channel.js';
export { MongoAlertDesk } from './mongo-desk.js';
export { loadReceivers, type Receivers } from './receivers.js';
