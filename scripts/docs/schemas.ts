import { code, plain } from './markdown.ts';

/** The parts that are read of an OpenAPI 3.1 schema, which is a JSON Schema. */
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

/** @param page that has the schemas, as a link from the current page; empty on that page itself */
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

/** Returns the name of a response's schema. */
export function namesIn(schema: Schema | undefined, page: string): string {
  if (schema?.$ref) return reference(schema.$ref, page);
  // In a problem's `allOf`, the first entry is the schema; the other lists the types that it can have.
  return schema?.allOf?.[0]?.$ref ? reference(schema.allOf[0].$ref, page) : '';
}

/** Returns name, type and description of each field, nested fields included by their path. */
export function propertyRows(schema: Schema, page: string, before = ''): string[][] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const path = before + name;
    const needed = schema.required?.includes(name) ? '' : ' (optional)';
    const preset = property.default === undefined ? '' : ` Default: ${code(JSON.stringify(property.default))}.`;
    const inner = property.items?.properties ? property.items : property;
    return [
      [code(path) + needed, typeText(property, page), plain(property.description ?? '') + preset],
      ...propertyRows(inner, page, `${path}${inner === property ? '' : '[]'}.`),
    ];
  });
}
