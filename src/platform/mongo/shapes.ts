import type { Document } from 'mongodb';

// What documents must look like, as MongoDB's validators say it.

export const text = { bsonType: 'string' };
export const someText = { bsonType: 'string', minLength: 1, maxLength: 1_000 };
export const hash = { bsonType: 'string', pattern: '^[0-9a-f]{64}$' };
export const isoTime = {
  bsonType: 'string',
  pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{3}Z$',
};
export const counted = { bsonType: 'number', minimum: 1, multipleOf: 1 };
export const share = { bsonType: 'number', minimum: 0, maximum: 1 };

/** Other fields are taken too. */
export const object = (properties: Document, optional: readonly string[] = []): Document => ({
  bsonType: 'object',
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  properties,
});
/** Other fields are refused. */
export const closed = (properties: Document, optional: readonly string[] = []): Document => ({
  ...object(properties, optional),
  additionalProperties: false,
});
export const orNull = (schema: Document): Document => ({ anyOf: [{ bsonType: 'null' }, schema] });
