export { MonitorBeats } from './beats.js';
export { type Detector, DetectorStore, type DetectorPlace } from './detectors.js';
export { FindingStore } from './findings.js';
export { readRoster, ManifestReader, type WatchedModel } from './roster.js';
