/** A JSON Schema, as far as an example is made of it. */
interface Schema {
  type?: unknown;
  properties?: Record<string, Schema>;
  required?: readonly string[];
  default?: unknown;
  examples?: readonly unknown[];
  enum?: readonly unknown[];
}

const EMPTY: Record<string, unknown> = { string: '', number: 0, integer: 0, boolean: false, array: [], null: null };

/** Returns a value to begin with for a schema: its example or default, or its required fields without content. */
export function exampleOf(schema: Schema): unknown {
  const { type, properties = {}, required = [] } = schema;
  const known = schema.examples?.[0] ?? schema.default ?? schema.enum?.[0];
  if (known !== undefined) return known;
  if (type === 'object') {
    const fields = Object.entries(properties).filter(([name]) => required.includes(name));
    return Object.fromEntries(fields.map(([name, field]) => [name, exampleOf(field)]));
  }
  return typeof type === 'string' ? EMPTY[type] : undefined;
}
