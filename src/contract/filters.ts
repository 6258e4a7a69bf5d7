import type { z } from 'zod';
import { conditionsOf, FILTER_LIMITS, FilterError } from './filters/parse.ts';
import type { Json } from './json.ts';
import { metadataSchema } from './metadata.ts';

/** Operators of one field. Several in one object must all hold. */
export interface FieldConditions {
  /** Equal, with any JSON value. Numbers are equal by value, objects whatever the order of their fields. */
  eq?: Json;
  /** Not `eq`: also holds where the field is missing. */
  ne?: Json;
  /** Equal to one of these values. */
  in?: readonly Json[];
  /** Not `in`: also holds where the field is missing. */
  nin?: readonly Json[];
  /** Ranges compare values of the type of the operand only: numbers, texts by code points, or instants. */
  gt?: RangeOperand;
  gte?: RangeOperand;
  lt?: RangeOperand;
  lte?: RangeOperand;
  /** Whether the field is there; null counts as there. */
  exists?: boolean;
  /** A text with this text in it, or an array with this element. */
  contains?: string | number | boolean | null;
  /** A text that begins with this text. */
  startsWith?: string;
}

/** A number, a text, or an instant in ISO 8601, which is compared with texts that are dates or times. */
export type RangeOperand = number | string | { date: string };

/** A condition on metadata: see `docs/filters.md`. All fields must hold. */
export type Filter = {
  and?: readonly Filter[];
  or?: readonly Filter[];
  not?: Filter;
} & { [path: string]: Json | FieldConditions | Filter | readonly Filter[] | undefined };

/** Checks a filter, and passes it on unchanged. */
export const filterSchema = (metadataSchema as unknown as z.ZodType<Filter>)
  .superRefine((filter, ctx) => {
    try {
      conditionsOf(filter);
    } catch (error) {
      if (!(error instanceof FilterError)) throw error;
      ctx.addIssue({ code: 'custom', path: error.path, message: error.message });
    }
  })
  .meta({
    type: 'object',
    additionalProperties: {},
    description: `Only objects whose metadata passes this filter. A value stands for containment (Postgres \`@>\`), and an object of operators for conditions: \`eq\`, \`ne\`, \`in\`, \`nin\`, \`gt\`, \`gte\`, \`lt\`, \`lte\`, \`exists\`, \`contains\`, \`startsWith\`; \`and\`, \`or\` and \`not\` combine filters. Names with dots are paths; a backslash before a character takes it literally. At most ${FILTER_LIMITS.conditions} conditions, ${FILTER_LIMITS.levels} levels and ${FILTER_LIMITS.values} values of \`in\` or \`nin\`.`,
    examples: [{ lang: 'en', year: { gte: 2020 } }],
  });

export { conditionsOf };
