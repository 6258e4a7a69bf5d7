import type { Json } from '../json.ts';
import type { Range } from './operators.ts';

/** Names from the metadata down to a value; never steps into arrays. */
export type FieldPath = readonly string[];
/** An operand of a range; `date` is an instant in ISO 8601. */
export type Bound =
  | { kind: 'number'; value: number }
  | { kind: 'text'; value: string }
  | { kind: 'date'; value: string };

/** A filter in the form that is executed. Every condition is true or false, never unknown. */
export type Condition =
  | { kind: 'all' | 'any'; of: readonly Condition[] }
  | { kind: 'not'; of: Condition }
  | { kind: 'contained'; path: FieldPath; value: Json }
  | { kind: 'equal'; path: FieldPath; value: Json }
  | { kind: 'among'; path: FieldPath; values: readonly Json[] }
  | { kind: 'range'; path: FieldPath; operator: Range; bound: Bound }
  | { kind: 'exists'; path: FieldPath }
  | { kind: 'contains'; path: FieldPath; value: string | number | boolean | null }
  | { kind: 'startsWith'; path: FieldPath; value: string };
