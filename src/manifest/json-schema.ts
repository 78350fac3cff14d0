import { defaultInWords, tiersInWords } from './words.js';
import { manifestTree, sharedDefault } from './tree.js';
import type { SchemaNode } from './tree.js';

/**
 * The published JSON Schema (2020-12) of model.yaml, for editors. Defaults that differ by tier are in the descriptions.
 * It cannot hold the rules across fields: what it accepts may still be refused by `parseManifest`.
 */
export function manifestJsonSchema(): Readonly<Record<string, unknown>> {
  const { $schema, ...root } = published(manifestTree());
  return { $schema, title: 'Tenure model manifest', ...root };
}

function published(node: SchemaNode): Record<string, unknown> {
  const { allowed, otherwise, also, description, properties, items, oneOf, anyOf, ...rest } = node;
  const shared = sharedDefault(node);
  const words = [
    description,
    allowed === undefined ? undefined : `Allowed: ${allowed}.`,
    otherwise === undefined
      ? undefined
      : `Default: ${shared === undefined ? tiersInWords(node) : defaultInWords(shared, node)}.`,
  ].filter((part) => part !== undefined);
  const structure = {
    ...rest,
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(
            Object.entries(properties).map(([key, child]) => [key, published(child)]),
          ),
        }),
    ...(items === undefined ? {} : { items: published(items) }),
    ...(oneOf === undefined ? {} : { oneOf: oneOf.map(published) }),
    ...(anyOf === undefined ? {} : { anyOf: anyOf.map(published) }),
  };
  return {
    ...(words.length === 0 ? {} : { description: words.join(' ') }),
    ...(shared === undefined ? {} : { default: shared }),
    ...(also === undefined ? structure : { anyOf: [also, structure] }),
  };
}
