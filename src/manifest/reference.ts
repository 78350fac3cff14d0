import { RISK_TIERS } from './schema.js';
import { manifestTree, sharedDefault } from './tree.js';
import type { SchemaNode } from './tree.js';
import { defaultInWords } from './words.js';

const INTRODUCTION = `# The manifest, \`model.yaml\`

<!-- Generated from the schema in src/manifest by \`npm run docs:schema\`; do not edit. -->

One file describes a model to Tenure. Start it with this line, and editors that know the YAML language server complete and
check it (the path is that of \`docs/model.schema.json\`):

\`\`\`yaml
# yaml-language-server: $schema=docs/model.schema.json
\`\`\`

- Fields without a default must be there. Unknown fields are errors.
- Durations are written \`30s\`, \`15m\`, \`2h\`, \`7d\`, or as a number of seconds. Shares are numbers from 0 to 1, or percentages such as \`5%\`.
- The risk tier fills in what the file leaves out. What the file says holds, also where it asks for less than its tier.
- \`tenure model show --resolved\` prints the manifest with all defaults.
- Rules across fields are checked too (weights rise, the quorum is not larger than the list, the score is one of the outputs …); all problems are reported at once, with line and column.
- Shadow is off by default for regression in every tier: which difference counts as agreement depends on the unit.
`;

/** docs/manifest.md: every field with meaning, allowed values and defaults. */
export function manifestReference(): string {
  const root = manifestTree();
  return [INTRODUCTION, tierTable(root), ...sections('', root)].join('\n');
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const code = (text: string): string => `\`${text}\``;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n') + '\n';
}

/** The section inside a node: itself, the entry of its list, or what may also be null. */
function inside(node: SchemaNode): { readonly suffix: string; readonly node: SchemaNode } | null {
  if (node.properties !== undefined || node.oneOf !== undefined) return { suffix: '', node };
  if (node.items !== undefined) {
    const entry = inside(node.items);
    return entry && { suffix: `[]${entry.suffix}`, node: entry.node };
  }
  const [first] = node.anyOf ?? [];
  return first === undefined ? null : inside(first);
}

function sections(path: string, node: SchemaNode): string[] {
  if (node.oneOf !== undefined) {
    const intro = path === '' ? [] : [`## ${code(path)}\n\n${node.description ?? ''}\n`];
    return [
      ...intro,
      ...node.oneOf.flatMap((option) =>
        sectionTable(`${path}, ${discriminator(option)}`, path, option, '###'),
      ),
    ];
  }
  return sectionTable(path === '' ? 'The file' : code(path), path, node, '##');
}

function discriminator({ properties = {} }: SchemaNode): string {
  const [key, field] = Object.entries(properties).find(([, { const: value }]) => value !== undefined) ?? [
    'kind',
    {},
  ];
  return `${key} ${code(field.const ?? '')}`;
}

function sectionTable(title: string, path: string, node: SchemaNode, heading: string): string[] {
  const fields = Object.entries(node.properties ?? {});
  const rows = fields.map(([key, field]) => [
    code(key),
    field.description ?? '',
    allowedInWords(path, key, field),
    fallback(field, node.required?.includes(key) === true),
  ]);
  const own = `${heading} ${title}\n\n${node.description ?? ''}\n\n${table(['field', 'meaning', 'allowed', 'default'], rows)}`;
  const nested = fields.flatMap(([key, field]) => {
    const inner = inside(field);
    return inner === null
      ? []
      : sections(`${path === '' ? '' : `${path}.`}${key}${inner.suffix}`, inner.node);
  });
  return [own, ...nested];
}

function allowedInWords(path: string, key: string, field: SchemaNode): string {
  const inner = inside(field);
  const where = inner === null ? '' : code(`${path === '' ? '' : `${path}.`}${key}${inner.suffix}`);
  const value = field.const ?? '';
  const nullable =
    field.anyOf?.some(({ type }) => type === 'null') === true && inner === null ? ', or null' : '';
  const allowed = field.allowed ?? field.anyOf?.[0]?.allowed ?? value;
  return [allowed === '' ? '' : allowed + nullable, where && `see ${where}`]
    .filter((part) => part !== '')
    .join('; ');
}

function fallback(field: SchemaNode, required: boolean): string {
  if (required) return '**needed**';
  const shared = sharedDefault(field);
  if (shared !== undefined) return code(defaultInWords(shared, field));
  return field.otherwise === undefined ? '' : 'by tier';
}

/** Defaults that differ by tier. */
function tierTable(root: SchemaNode): string {
  const rows = differing('', root).map(([path, field]) => [
    code(path),
    ...RISK_TIERS.map((tier) => defaultInWords(field.otherwise?.[tier] ?? null, field)),
  ]);
  return `## What each tier fills in\n\n${table(['field', ...RISK_TIERS], rows)}`;
}

function differing(path: string, node: SchemaNode): [string, SchemaNode][] {
  return Object.entries(node.properties ?? {}).flatMap(([key, field]) => {
    const here = path === '' ? key : `${path}.${key}`;
    const own: [string, SchemaNode][] =
      field.otherwise !== undefined && sharedDefault(field) === undefined ? [[here, field]] : [];
    const inner = field.properties === undefined ? field.anyOf?.[0] : field;
    return [...own, ...(inner?.properties === undefined ? [] : differing(here, inner))];
  });
}
