import type * as z from 'zod';
import type {
  Contact,
  FreezeWindow,
  Gate,
  GuardrailSettings,
  InputField,
  Manifest,
  OutputField,
} from '../contracts/manifest.js';
import type { Task } from '../contracts/model.js';
import type { Path } from './problems.js';
import { freezeWindow, guardrail } from './release-sections.js';
import { contact, gate, inputField, outputField } from './sections.js';
import type { ManifestSchema } from './schema.js';

/**
 * The parts of a manifest that are well-formed by themselves, so that rules across fields are checked as far as possible in
 * a manifest that has other mistakes. Entries of lists keep their index.
 */
export interface Parts {
  readonly task?: Task | undefined;
  readonly riskTier?: Manifest['riskTier'] | undefined;
  readonly inputs: readonly (InputField | undefined)[];
  readonly outputs: readonly (OutputField | undefined)[];
  readonly prediction?: Manifest['prediction'] | undefined;
  readonly target?: string | undefined;
  readonly gates: readonly (Gate | undefined)[];
  readonly approvals: Readonly<
    Record<'beforeDeploy' | 'beforePromote', Manifest['approval']['beforeDeploy'] | undefined>
  >;
  readonly steps?: Manifest['canary']['steps'] | undefined;
  readonly guardrails: readonly (GuardrailSettings | undefined)[];
  readonly canaryMaxSeconds?: number | undefined;
  readonly objectives?: Manifest['objectives'] | undefined;
  readonly serving?: Manifest['serving'] | undefined;
  readonly freezeWindows: readonly (FreezeWindow | undefined)[];
  readonly contacts: readonly (Contact | undefined)[];
  readonly monitoring?: Manifest['monitoring'] | undefined;
  readonly retraining?: Manifest['retraining'] | undefined;
}

export type Complain = (path: Path, value: unknown, allowed: string) => void;

const field = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[key] : undefined;

const parsed = <T extends z.ZodType>(schema: T, value: unknown): z.output<T> | undefined =>
  schema.safeParse(value).data;

/** The well-formed parts of what the file says, with defaults. */
export function partsOf(schema: ManifestSchema, raw: unknown): Parts {
  const { shape } = schema;
  const canary = shape.canary.unwrap().shape;
  const approval = shape.approval.unwrap().shape;
  const entries = <T extends z.ZodType>(item: T, list: unknown, otherwise: readonly z.output<T>[]) => {
    if (list === undefined) return otherwise;
    return Array.isArray(list) ? list.map((entry) => parsed(item, entry)) : [];
  };
  const at = (key: string): unknown => field(raw, key);
  return {
    task: parsed(shape.task, at('task')),
    riskTier: parsed(shape.riskTier, at('riskTier')),
    inputs: entries(inputField, field(at('schema'), 'inputs'), []),
    outputs: entries(outputField, field(at('schema'), 'outputs'), []),
    prediction: parsed(shape.prediction, at('prediction')),
    target: parsed(shape.validation.shape.target, field(at('validation'), 'target')),
    gates: entries(gate, field(at('validation'), 'gates'), []),
    approvals: {
      beforeDeploy: parsed(approval.beforeDeploy, field(at('approval'), 'beforeDeploy')),
      beforePromote: parsed(approval.beforePromote, field(at('approval'), 'beforePromote')),
    },
    steps: parsed(canary.steps, field(at('canary'), 'steps')),
    guardrails: entries(
      guardrail,
      field(at('canary'), 'guardrails'),
      parsed(canary.guardrails, undefined) ?? [],
    ),
    canaryMaxSeconds: parsed(canary.maxSeconds, field(at('canary'), 'maxSeconds')),
    objectives: parsed(shape.objectives, at('objectives')),
    serving: parsed(shape.serving, at('serving')),
    freezeWindows: entries(freezeWindow, at('freezeWindows'), []),
    contacts: entries(contact, at('contacts'), []),
    monitoring: parsed(shape.monitoring, at('monitoring')),
    retraining: parsed(shape.retraining, at('retraining')),
  };
}

/** Complains of each entry whose key an earlier one has. */
export function checkUnique(
  keys: readonly (string | undefined)[],
  complain: (index: number, key: string, first: number) => void,
): void {
  for (const [i, key] of keys.entries()) {
    const first = keys.indexOf(key);
    if (key !== undefined && first < i) complain(i, key, first);
  }
}
