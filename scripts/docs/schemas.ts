import { code, plain } from './markdown.ts';

/** What is read of a schema of OpenAPI 3.1, which is one of JSON Schema. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  examples?: unknown[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  maxItems?: number;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  additionalProperties?: boolean | Schema;
}

/** @param page that has the schemas, as a link from where this is read; empty on that page itself */
export function typeText(schema: Schema, page: string): string {
  const { $ref, type, items, anyOf, oneOf, allOf, additionalProperties } = schema;
  if ($ref) return reference($ref, page);
  const several = anyOf ?? oneOf;
  if (several) return [...new Set(several.map((each) => typeText(each, page)))].join(' or ');
  if (allOf) return allOf.map((each) => typeText(each, page)).join(' and ');
  if (schema.const !== undefined) return code(JSON.stringify(schema.const));
  if (schema.enum) return schema.enum.map((each) => code(JSON.stringify(each))).join(', ');
  if (type === 'array') return `list of ${typeText(items ?? {}, page)}`;
  if (typeof additionalProperties === 'object') return `object of ${typeText(additionalProperties, page)}`;
  return [type ?? 'any'].flat().join(' or ') + limits(schema);
}

function limits({ minimum, maximum, minLength, maxLength, maxItems }: Schema): string {
  const most = maximum ?? maxLength ?? maxItems;
  const least = minimum ?? minLength;
  const isOpen = most === undefined || most >= Number.MAX_SAFE_INTEGER;
  const isWide = least === undefined || least <= Number.MIN_SAFE_INTEGER;
  const unit = minLength !== undefined || maxLength !== undefined ? ' characters' : '';
  if (isOpen && isWide) return '';
  if (isOpen) return unit && least === 1 ? '' : `, at least ${least}${unit}`;
  return isWide ? `, at most ${most}${unit}` : `, ${least} to ${most}${unit}`;
}

function reference($ref: string, page: string): string {
  const name = $ref.split('/').at(-1) as string;
  return `[${name}](${page && `./${page}.md`}#${name.toLowerCase()})`;
}

/** The schemas that an answer names. */
export function namesIn(schema: Schema | undefined, page: string): string {
  if (schema?.$ref) return reference(schema.$ref, page);
  // Of a problem, the first of all that must hold is the schema; the other says which types it can have.
  return schema?.allOf?.[0]?.$ref ? reference(schema.allOf[0].$ref, page) : '';
}

/** Name, type and meaning of each field; those of fields in fields too, by their path. */
export function propertyRows(schema: Schema, page: string, before = ''): string[][] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const path = before + name;
    const needed = schema.required?.includes(name) ? '' : ' (optional)';
    const preset = property.default === undefined ? '' : ` ${code(JSON.stringify(property.default))} if not given.`;
    const inner = property.items?.properties ? property.items : property;
    return [
      [code(path) + needed, typeText(property, page), plain(property.description ?? '') + preset],
      ...propertyRows(inner, page, `${path}${inner === property ? '' : '[]'}.`),
    ];
  });
}
