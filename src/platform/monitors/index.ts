export { type Beat, MonitorBeats } from './beats.js';
export { type Detector, DetectorStore, type DetectorPlace, type Outbox } from './detectors.js';
export { FindingStore } from './findings.js';
export { readRoster, ManifestReader, type WatchedModel } from './roster.js';
