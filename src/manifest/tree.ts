import * as z from 'zod';
import type { RiskTier } from '../contracts/model.js';
import { manifestSchema, RISK_TIERS } from './schema.js';

export type JsonValue =
  null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** A node of JSON Schema with Tenure's own metadata beside the standard keywords. */
export interface SchemaNode {
  readonly description?: string;
  /** What is allowed, in words. */
  readonly allowed?: string;
  /** Default for each tier; absent without one. */
  readonly otherwise?: Readonly<Record<RiskTier, JsonValue>>;
  /** A short form that is allowed too. */
  readonly also?: JsonValue;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly items?: SchemaNode;
  readonly oneOf?: readonly SchemaNode[];
  readonly anyOf?: readonly SchemaNode[];
  readonly const?: string;
  readonly type?: JsonValue;
  readonly [keyword: string]: unknown;
}

/** The schema's input side as a tree, with each field's default for each tier. */
export function manifestTree(): SchemaNode {
  const trees = RISK_TIERS.map(
    (tier) => z.toJSONSchema(manifestSchema(tier, 'binary'), { io: 'input' }) as unknown as SchemaNode,
  );
  return merge(trees);
}

/** The trees of all tiers differ in defaults only. */
function merge(trees: readonly SchemaNode[]): SchemaNode {
  const [first = {}] = trees;
  const { default: _, otherwise: __, ...rest } = first;
  const children = (pick: (tree: SchemaNode) => SchemaNode | undefined): SchemaNode =>
    merge(trees.map((tree) => pick(tree) ?? {}));
  const choice = (key: 'oneOf' | 'anyOf') =>
    first[key] === undefined ? {} : { [key]: first[key].map((__, i) => children((tree) => tree[key]?.[i])) };
  return {
    ...rest,
    ...(first.otherwise === undefined
      ? {}
      : {
          otherwise: Object.fromEntries(
            RISK_TIERS.map((tier, i) => [tier, trees[i]?.otherwise ?? null]),
          ) as SchemaNode['otherwise'] & object,
        }),
    ...(first.properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(
            Object.keys(first.properties).map((key) => [key, children((tree) => tree.properties?.[key])]),
          ),
        }),
    ...(first.items === undefined ? {} : { items: children((tree) => tree.items) }),
    ...choice('oneOf'),
    ...choice('anyOf'),
  };
}

/** The default that all tiers share; undefined when they differ or there is none. */
export function sharedDefault({ otherwise }: SchemaNode): JsonValue | undefined {
  if (otherwise === undefined) return undefined;
  const [first, ...others] = RISK_TIERS.map((tier) => JSON.stringify(otherwise[tier]));
  return others.every((other) => other === first) ? otherwise.high : undefined;
}
