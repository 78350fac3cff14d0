import { heartbeat } from '@temporalio/activity';
import type { RegisterVersionInput, RegistryActivities } from '../contracts/activities.js';
import type { LedgerEntry } from '../contracts/ledger.js';
import { isRetraining } from '../contracts/ids.js';
import type { VersionRecord } from '../contracts/model.js';
import type { LedgerWriter } from '../ledger/index.js';
import { ModelError } from '../platform/onnx/errors.js';
import { openModelThread } from '../platform/onnx/thread.js';
import {
  ArtifactError,
  type ArtifactStore,
  isDigest,
  VersionConflictError,
  type VersionRegistry,
} from '../platform/registry/index.js';
import type { RoutingStore } from '../platform/serving/index.js';
import { withFailures } from './failures.js';
import { newest } from './ledger.js';
import { compareSignature } from './signature.js';

export interface RegistryDeps {
  readonly registry: VersionRegistry;
  readonly artifacts: ArtifactStore;
  readonly ledger: LedgerWriter;
  readonly routes: Pick<RoutingStore, 'read'>;
}

/** What a version may be called: it stands in addresses, headers and file names. */
const VERSION_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const HEARTBEAT_MS = 5_000;

export function createRegistryActivities(deps: RegistryDeps): RegistryActivities {
  const { registry, ledger, routes } = deps;
  return {
    findVersion: async ({ model, version }) => {
      const [record, table] = await Promise.all([registry.find(model, version), routes.read(model)]);
      if (record === null) return null;
      const sight = table === null ? null : { generation: table.generation, changeId: table.changeId };
      return { ...record, table: sight };
    },
    registerVersion: (input) =>
      withFailures(async () => {
        const refused = await reasonAgainst(deps, input);
        if (refused !== null) return { accepted: false, reason: refused };
        const record = await register(deps, input);
        if (typeof record === 'string') return { accepted: false, reason: record };
        const places = await ledger.append([registered(record)]);
        return { accepted: true, record, head: newest(places) };
      }),
  };
}

/** Why a version cannot be registered, or null. Nothing is written. */
async function reasonAgainst(deps: RegistryDeps, input: RegisterVersionInput): Promise<string | null> {
  const { version, digest, manifest } = input;
  if (!VERSION_NAME.test(version)) {
    return `version is ${JSON.stringify(version)}: 1 to 63 letters, digits, dots, hyphens and underscores are allowed, the first a letter or digit`;
  }
  if (!isDigest(digest)) return `digest is ${JSON.stringify(digest)}: 64 lower-case hex digits are needed`;
  const existing = await deps.registry.find(manifest.name, version);
  // Registered before: its artifact was checked then, and the answer is the same.
  if (existing?.digest === digest) return null;
  return checkArtifact(deps.artifacts, input);
}

/** Loads the artifact as a gateway will, on a thread of its own. */
async function checkArtifact(artifacts: ArtifactStore, input: RegisterVersionInput): Promise<string | null> {
  const { manifest, version, digest } = input;
  const beat = setInterval(() => heartbeat(), HEARTBEAT_MS);
  try {
    const file = await artifacts.pathOf(digest);
    const thread = await openModelThread({ file, sha256: digest });
    try {
      const problems = compareSignature(manifest.schema, thread.metadata);
      return problems.length === 0
        ? null
        : `version ${version} does not fit the manifest: ${problems.join('; ')}`;
    } finally {
      await thread.close();
    }
  } catch (error) {
    if (error instanceof ArtifactError) return error.message;
    if (error instanceof ModelError && ['digest-mismatch', 'load-failed'].includes(error.code)) {
      return `artifact ${digest} cannot be loaded: ${error.message}`;
    }
    throw error;
  } finally {
    clearInterval(beat);
  }
}

/** @returns why not, when the name or the digest is taken */
async function register(
  { registry, artifacts }: RegistryDeps,
  input: RegisterVersionInput,
): Promise<VersionRecord | string> {
  const { manifest, version, digest, lineage, registeredBy, at } = input;
  const model = manifest.name;
  const existing = await registry.find(model, version);
  if (existing?.digest === digest) return existing;
  const sizeBytes = await artifacts.size(digest);
  try {
    const { record } = await registry.register({
      model,
      version,
      digest,
      sizeBytes,
      lineage,
      registeredBy,
      registeredAt: at,
    });
    return record;
  } catch (error) {
    if (error instanceof VersionConflictError) return error.message;
    throw error;
  }
}

/** Made of the record alone, so that every repeat, by whoever, says the same. */
function registered(record: VersionRecord): LedgerEntry {
  const { model, version, digest, sizeBytes, lineage, registeredBy, registeredAt } = record;
  return {
    stream: model,
    id: `version:${model}:${version}/registered`,
    action: 'version.registered',
    actor: { kind: isRetraining(registeredBy) ? 'system' : 'person', id: registeredBy },
    subject: { version, digest },
    evidence: {
      sizeBytes,
      lineage: { ...lineage, ...(lineage.metrics ? { metrics: { ...lineage.metrics } } : {}) },
    },
    at: registeredAt,
  };
}
