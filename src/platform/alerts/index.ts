export type { Alert, AlertChannel, AlertDesk } from './alerts.js';
export { logChannel } from './log-channel.js';
export { MongoAlertDesk } from './mongo-desk.js';
export { loadReceivers } from './receivers.js';
