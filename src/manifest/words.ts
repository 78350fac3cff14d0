import { inUnits } from './fields.js';
import { RISK_TIERS } from './schema.js';
import type { JsonValue, SchemaNode } from './tree.js';

/** A default as it is written in a manifest. */
export function defaultInWords(value: JsonValue, node: SchemaNode): string {
  if (value === null) return 'null';
  if (typeof value === 'number' && node.allowed?.startsWith('a duration') === true) return inUnits(value);
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value))
    return `[${value.map((entry: JsonValue) => defaultInWords(entry, node.items ?? {})).join(', ')}]`;
  const inner = node.properties ?? node.anyOf?.[0]?.properties ?? {};
  const fields = Object.entries(value).map(
    ([key, entry]) => `${key}: ${defaultInWords(entry, inner[key] ?? {})}`,
  );
  return `{ ${fields.join(', ')} }`;
}

/** The defaults of a field that differ by tier: `experimental 1m, low 15m, ...`. */
export function tiersInWords(node: SchemaNode): string {
  return RISK_TIERS.map((tier) => `${tier} ${defaultInWords(node.otherwise?.[tier] ?? null, node)}`).join(
    ', ',
  );
}
