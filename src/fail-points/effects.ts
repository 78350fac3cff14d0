/**
 * Every effect at which a test may stop or kill the process that is about to have it, or has just had it. The one list: code
 * can only name what stands here, and the tests of `test/integration/chaos` kill at each.
 */
export const EFFECTS = {
  'ledger.insert': { process: 'worker', what: 'an event is inserted into the ledger' },
  'routes.set': { process: 'worker', what: 'a routing table is replaced by the next generation' },
  'registry.insert': { process: 'worker', what: 'a version is registered' },
  'profiles.insert': { process: 'worker', what: "a version's reference profile is stored" },
  'artifact.place': { process: 'worker', what: 'an artifact gets its name in the store' },
  'alert.keep': { process: 'worker', what: 'an alert is written down' },
  'alert.tell': { process: 'worker', what: 'the channels are told of an alert' },
  'alert.note': { process: 'worker', what: 'it is noted that they were' },
  'activity.recordEvents': { process: 'worker', what: 'an activity, from its task to its completion' },
  'activity.registerVersion': { process: 'worker', what: 'the same' },
  'activity.findVersion': { process: 'worker', what: 'the same' },
  'activity.changeTraffic': { process: 'worker', what: 'the same' },
  'activity.rehearseRollback': { process: 'worker', what: 'the same' },
  'activity.checkConformance': { process: 'worker', what: 'the same' },
  'activity.validateVersion': { process: 'worker', what: 'the same' },
  'activity.readBaseline': { process: 'worker', what: 'the same' },
  'activity.readFreezeWindows': { process: 'worker', what: 'the same' },
  'activity.verifyDecisions': { process: 'worker', what: 'the same' },
  'activity.sendAlert': { process: 'worker', what: 'the same' },
  'activity.awaitLook': { process: 'worker', what: 'the same' },
  'activity.readRetrainingSigns': { process: 'retraining', what: 'the same, of a retraining' },
  'activity.assembleTrainingSet': { process: 'retraining', what: 'the same' },
  'activity.trainChallenger': { process: 'retraining', what: 'the same' },
  'activity.judgeChallenger': { process: 'retraining', what: 'the same' },
  'activity.compareParts': { process: 'doctor', what: 'the same, of the doctor' },
  'activity.repairModel': { process: 'doctor', what: 'the same' },
  'activity.tellDifferences': { process: 'doctor', what: 'the same' },
  'activity.writeFleetReport': { process: 'report', what: 'the same, of the daily report' },
  'report.keep': { process: 'report', what: "a day's report is stored" },
  'activity.evaluateShard': { process: 'monitor', what: 'the same, of a monitor' },
  'monitor.carry': {
    process: 'monitor',
    what: 'what a model was found to have is stored, with what is carried on',
  },
  'monitor.findings': { process: 'monitor', what: 'findings are stored' },
  'monitor.report': { process: 'monitor', what: "a model's workflow is told" },
  'monitor.delivered': { process: 'monitor', what: 'it is noted that they were stored, recorded and told' },
  'monitor.health': { process: 'monitor', what: "a model's health is stored" },
  'monitor.beat': { process: 'monitor', what: 'a monitor says that it was here' },
  'fleet.begin': { process: 'fleet', what: 'an incident of the fleet gets its number' },
  'fleet.start': { process: 'fleet', what: 'its workflow is started' },
  'fleet.started': { process: 'fleet', what: 'it is noted that it was' },
  'fleet.repeat': { process: 'fleet', what: 'its workflow is told of more findings' },
  'fleet.attach': { process: 'fleet', what: 'it is noted that it was' },
  'fleet.clear': { process: 'fleet', what: 'its workflow is told that the cause is gone' },
  'fleet.over': { process: 'fleet', what: 'it is noted that its workflow has ended' },
  'fleet.renumber': { process: 'fleet', what: 'its number is given up, as somebody else has it' },
  'doctor.recover': { process: 'doctor', what: "a model's workflow is started from its record" },
  'doctor.reconcile': { process: 'doctor', what: 'a model is told to set its routing table again' },
  'doctor.tell-end': { process: 'doctor', what: 'a model is told how a release ended' },
  'doctor.stop-release': { process: 'doctor', what: 'a release that nobody knows is terminated' },
  'gateway.report': { process: 'gateway', what: 'a gateway reports what is in force' },
  'snapshot.save': { process: 'gateway', what: 'the tables taken are kept in a file' },
  'slot.load': { process: 'gateway', what: 'a version is loaded' },
  'slot.retire': { process: 'gateway', what: 'a version is unloaded' },
  'windows.insert': { process: 'gateway', what: 'closed windows are stored' },
  'spool.add': { process: 'gateway', what: 'a window is spooled' },
  'spool.clear': { process: 'gateway', what: 'the spool is emptied' },
  'windows.merge': { process: 'compactor', what: 'windows are merged, as one transaction' },
  'windows.merge-delete': { process: 'compactor', what: 'within it, the merged ones are deleted' },
  'windows.merge-insert': { process: 'compactor', what: 'within it, the merge is inserted' },
  'schema.migrate': { process: 'preparing', what: 'a collection is migrated to its next version' },
  'schema.record': { process: 'preparing', what: 'the version of a collection is recorded' },
  'backup.moment': { process: 'command', what: 'a file is copied while Temporal stands still' },
  'backup.file': { process: 'command', what: 'a file of a backup is written' },
  'backup.publish': { process: 'command', what: 'a whole backup gets its name' },
  'restore.mark': { process: 'command', what: 'it is noted that a restore has begun, or how far it is' },
  'restore.artifact': { process: 'command', what: 'an artifact is put back' },
  'restore.load': { process: 'command', what: 'a collection is loaded beside the one that it is to replace' },
  'restore.temporal': { process: 'command', what: "a file of Temporal's database is put back" },
  'restore.swap': { process: 'command', what: 'a loaded collection takes its place' },
  'restore.finish': { process: 'command', what: 'it is noted that the restore has ended' },
} as const satisfies Readonly<Record<string, { readonly process: string; readonly what: string }>>;

export type Effect = keyof typeof EFFECTS;
export type FailPoint = `${Effect}.${'before' | 'after'}`;

/** All of them, in the order of the list. */
export const FAIL_POINTS: readonly FailPoint[] = (Object.keys(EFFECTS) as Effect[]).flatMap(
  (effect): FailPoint[] => [`${effect}.before`, `${effect}.after`],
);

export const isFailPoint = (name: string): name is FailPoint =>
  (FAIL_POINTS as readonly string[]).includes(name);
