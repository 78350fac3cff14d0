export { MonitorBeats } from './beats.js';
export { type Detector, DetectorStore, type DetectorPlace } from './detectors.js';
export { type FleetIncident, FleetIncidents } from './fleet-incidents.js';
export { FindingStore } from './findings.js';
export { ManifestReader, RosterReader, type WatchedModel } from './roster.js';
