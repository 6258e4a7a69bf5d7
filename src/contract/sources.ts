import { z } from 'zod';
import { unavailableSchema } from './databases.ts';
import type { Condition } from './filters/parse.ts';
import { conditionsOf, filterSchema } from './filters.ts';
import { nameSchema } from './indexes.ts';
import { isJsonObject } from './metadata.ts';
import { columnsOfTemplate, templateProblem } from './source-text.ts';
import { plainText } from './texts.ts';

/** Sources: tables of users that an index follows. */

/** Postgres cuts longer names, in bytes. */
const IDENTIFIER_BYTES = 63;

const identifierSchema = plainText(IDENTIFIER_BYTES)
  .min(1)
  .refine((name) => new TextEncoder().encode(name).length <= IDENTIFIER_BYTES, `at most ${IDENTIFIER_BYTES} bytes`);

const columnSchema = identifierSchema.describe('Name of a column as the table has it, without quotes.');

const columnsSchema = (min: number) =>
  z
    .array(columnSchema)
    .min(min)
    .max(100)
    .superRefine((columns, ctx) => {
      columns.forEach((column, at) => {
        if (columns.indexOf(column) < at) ctx.addIssue({ code: 'custom', path: [at], message: 'is named twice' });
      });
    });

const tableSchema = z
  .union(
    [
      plainText(2 * IDENTIFIER_BYTES + 1).regex(/^[^.]+(\.[^.]+)?$/, 'a table, or a schema, a dot and a table'),
      z.strictObject({ schema: identifierSchema, name: identifierSchema }),
    ],
    { error: 'must be the name of a table, or an object with schema and name' },
  )
  .describe(
    'The table: `name` in the schema `public`, or `schema.name`; as the database has them, without quotes. Names with dots: `{ schema, name }`.',
  );

const textSchema = z
  .union(
    [
      columnsSchema(1),
      z.strictObject({
        template: plainText(10_000)
          .min(1)
          .superRefine((template, ctx) => {
            const message = templateProblem(template);
            if (message) ctx.addIssue({ code: 'custom', message });
          })
          .describe('Text with columns in braces, such as `{title}: {body}`; `{{` and `}}` are braces.'),
      }),
    ],
    { error: 'must be a list of columns, or an object with a template' },
  )
  .describe('What is embedded: columns, joined by empty lines, or a template. A null is an empty text.');

/** Methods of following a table. */
export const FOLLOW = ['triggers', 'poll'] as const;

export const sourceDefinitionSchema = z
  .strictObject({
    index: nameSchema.describe('Name of the index or alias that follows the table.'),
    table: tableSchema,
    connectionEnv: z
      .string()
      .max(100)
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'the name of an environment variable')
      .optional()
      .describe(
        "Environment variable with the address of the table's database; it must be allowed by `REEMBED_SOURCE_CONNECTIONS`. Default: the database of reembed.",
      ),
    key: columnsSchema(1)
      .max(16)
      .optional()
      .describe('Columns that identify a row: primary key, or unique and not null. Default: the primary key.'),
    text: textSchema.optional(),
    uriColumn: columnSchema.optional().describe('Column with the address of the content, instead of `text`.'),
    metadata: columnsSchema(0).default([]).describe('Columns that searches can filter by.'),
    where: filterSchema.optional().describe('Only rows that pass this filter, over columns instead of metadata.'),
    follow: z
      .enum(FOLLOW)
      .default('triggers')
      .describe('`poll` reads a column with the time of the last change; it does not see deletes.'),
    updatedAt: columnSchema.optional().describe('Only for `poll`: the column with the time of the last change.'),
  })
  .refine((source) => (source.text === undefined) !== (source.uriColumn === undefined), {
    path: ['text'],
    message: 'give either text or uriColumn',
  })
  .refine((source) => (source.follow === 'poll') === (source.updatedAt !== undefined), {
    path: ['updatedAt'],
    message: 'is required with follow poll, and only allowed there',
  })
  .meta({
    id: 'SourceDefinition',
    examples: [{ index: 'docs', table: 'public.articles', text: ['title', 'body'], metadata: ['lang'] }],
  });
export type SourceDefinition = z.output<typeof sourceDefinitionSchema>;
export type SourceDefinitionInput = z.input<typeof sourceDefinitionSchema>;

/** A table by its schema and its name. */
export interface TableName {
  schema: string;
  name: string;
}

/** Returns the schema and the name of a source's table. */
export function tableOf({ table }: Pick<SourceDefinition, 'table'>): TableName {
  if (typeof table !== 'string') return table;
  const [first = '', second] = table.split('.');
  return second === undefined ? { schema: 'public', name: first } : { schema: first, name: second };
}

/** Lists the columns that objects are made of, without the key: a change of another column changes no object. */
export function contentColumns(definition: SourceDefinition): string[] {
  const { uriColumn, metadata } = definition;
  return [
    ...new Set([
      ...textColumns(definition),
      ...(uriColumn ? [uriColumn] : []),
      ...metadata,
      ...whereColumns(definition),
    ]),
  ];
}

/** Lists the columns of the text. */
export function textColumns({ text }: Pick<SourceDefinition, 'text'>): string[] {
  if (text === undefined) return [];
  return Array.isArray(text) ? text : columnsOfTemplate(text.template);
}

/** Lists the columns that the filter of a source compares. */
export function whereColumns({ where }: Pick<SourceDefinition, 'where'>): string[] {
  const columns = where === undefined ? [] : [...new Set(columnsOf(conditionsOf(where)))];
  // A filter takes a name with a dot or a backslash as a path, and as it stands too; of columns, it is a path.
  const isPath = (name: string) =>
    columns.some((other) => name.startsWith(`${other}.`) || (name !== other && unescaped(name) === other));
  return columns.filter((name) => !isPath(name));
}

const unescaped = (name: string) => name.replace(/\\(.)/g, '$1');

function columnsOf(condition: Condition): string[] {
  if ('of' in condition)
    return Array.isArray(condition.of) ? condition.of.flatMap(columnsOf) : columnsOf(condition.of as Condition);
  const [column] = condition.path;
  if (column !== undefined) return [column];
  return condition.kind === 'contained' && isJsonObject(condition.value) ? Object.keys(condition.value) : [];
}

/**
 * States of a source. `starting`: it is being set up. `waiting`: something is missing that may come back, such as the
 * database. `stopped`: it follows no more until someone acts.
 */
export const SOURCE_STATES = ['starting', 'following', 'waiting', 'stopped'] as const;
export type SourceState = (typeof SOURCE_STATES)[number];

export const sourceInfoSchema = z
  .object({
    name: z.string(),
    definition: sourceDefinitionSchema,
    state: z.enum(SOURCE_STATES).describe('`waiting` and `stopped` have a reason.'),
    reason: z.string().nullable().describe('What it waits for, or why it has stopped.'),
    stateTime: z.iso.datetime().describe('Since when it has this state.'),
    key: z.array(z.string()).describe('Columns that identify a row.'),
    backlog: z
      .object({
        changes: z.int().describe('Changes that are not in the index yet.'),
        estimated: z.boolean().describe('True if there are too many to count.'),
        seconds: z.number().nullable().describe('Age of the oldest of them.'),
      })
      .nullable()
      .describe('Null if it cannot be read, or with `poll`.'),
    createTime: z.iso.datetime(),
    updateTime: z.iso.datetime(),
  })
  .meta({ id: 'Source' });
export type SourceInfo = z.output<typeof sourceInfoSchema>;

export const sourceSavedSchema = sourceInfoSchema
  .extend({ syncTaskId: z.string().describe('Id of the task that syncs all rows.') })
  .meta({ id: 'SourceSaved' });
export type SourceSaved = z.output<typeof sourceSavedSchema>;

export const sourceListSchema = z
  .object({ sources: z.array(sourceInfoSchema), unavailable: unavailableSchema })
  .meta({ id: 'SourceList' });

export const sourcePlanSchema = z
  .object({
    sql: z.array(z.string()).describe("Statements in the table's database, in order."),
    key: z.array(z.string()).describe('Columns that identify a row.'),
  })
  .meta({ id: 'SourcePlan' });
export type SourcePlan = z.output<typeof sourcePlanSchema>;

export const sourceRemovedSchema = z
  .object({
    sql: z
      .array(z.string())
      .describe("Statements that remain to be run in the table's database; none, unless it did not answer."),
  })
  .meta({ id: 'SourceRemoved' });
export type SourceRemoved = z.output<typeof sourceRemovedSchema>;

/** Name of a source, which appears in URLs and in ids of tasks. */
export const sourceNameSchema = nameSchema.meta({ description: 'Name of the source.', examples: ['articles'] });
