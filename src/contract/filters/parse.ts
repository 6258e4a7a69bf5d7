import type { Json } from '../json.ts';
import { isJsonObject } from '../metadata.ts';
import type { Bound, Condition, FieldPath } from './condition.ts';
import { boundOf, mixedRanges, operandProblem, typeName } from './operands.ts';
import {
  type Combination,
  type Comparison,
  isCombination,
  isComparison,
  RANGES,
  type Range,
  resembled,
} from './operators.ts';
import { isPlainName, namesOf, writtenName } from './path.ts';

export type { Condition } from './condition.ts';

/** Limits of one filter: conditions, nesting of objects with conditions, and values of all `in` and `nin`. */
export const FILTER_LIMITS = { conditions: 100, levels: 20, values: 1_000 } as const;

/** A problem in a filter, and its path in the filter as written. */
export class FilterError extends Error {
  readonly path: (string | number)[];

  constructor(path: readonly (string | number)[], message: string) {
    super(message);
    this.name = 'FilterError';
    this.path = [...path];
  }
}

/**
 * Parses a filter. An empty filter has no conditions, which all objects pass.
 * @throws FilterError
 */
export function conditionsOf(filter: unknown): Condition {
  return new Parser().filter(filter as Json, [], [], 1);
}

type Place = readonly (string | number)[];

class Parser {
  private conditions = 0;
  private values = 0;

  /** Parses what stands at a field, or at the top. */
  filter(value: Json, path: FieldPath, place: Place, level: number): Condition {
    if (!isJsonObject(value)) return this.leaf(place, { kind: 'contained', path, value });
    if (isLiteral(value))
      return path.length === 0 && isEmpty(value) ? ALL : this.leaf(place, { kind: 'contained', path, value });
    if (level > FILTER_LIMITS.levels) {
      throw new FilterError(place, `must not be nested deeper than ${FILTER_LIMITS.levels} levels`);
    }
    const names = Object.keys(value);
    this.requireKnown(names, path, place);
    const of = names
      .filter((name) => !isComparison(name))
      .map((name) => {
        const operand = value[name] as Json;
        const inner = [...place, name];
        if (isCombination(name)) return this.combination(name, operand, path, inner, level);
        return this.field(name, operand, path, inner, level + 1);
      });
    return all([...of, ...this.comparisons(value, path, place)]);
  }

  /** Parses a field below `path`. Metadata may have names with dots, which the short form takes as they stand too. */
  private field(name: string, operand: Json, path: FieldPath, place: Place, level: number): Condition {
    const below = namesOf(name);
    const asItStands = () => this.leaf(place, { kind: 'contained', path: [...path, name], value: operand });
    const isShort = !isPlainName(name) && isLiteral(operand);
    if (typeof below === 'string') {
      if (isShort) return asItStands();
      throw new FilterError(place, below);
    }
    const asPath = this.filter(operand, [...path, ...below], place, level);
    return isShort ? { kind: 'any', of: [asPath, asItStands()] } : asPath;
  }

  private requireKnown(names: readonly string[], path: FieldPath, place: Place): void {
    for (const name of names) {
      const operator = resembled(name);
      if (operator === undefined) continue;
      const field = `a field of this name is written ${writtenName(name)}`;
      throw new FilterError([...place, name], `is not an operator: did you mean ${operator}? If not, ${field}`);
    }
    const operator = names.find(isComparison);
    if (operator === undefined) return;
    const field = `a field of this name is written ${writtenName(operator)}`;
    if (path.length === 0) {
      const example = `{"year": {"${operator}": …}}`;
      throw new FilterError([...place, operator], `is an operator and needs a field, as in ${example}; ${field}`);
    }
    const plain = names.find((name) => !isComparison(name) && !isCombination(name));
    if (plain === undefined) return;
    const message = `stands beside the operator ${operator}: an object has operators or fields, not both; use "and", or eq for a literal object`;
    throw new FilterError([...place, plain], message);
  }

  private combination(name: Combination, operand: Json, path: FieldPath, place: Place, level: number): Condition {
    if (name === 'not') return { kind: 'not', of: this.operand(operand, path, place, level) };
    if (!Array.isArray(operand)) throw new FilterError(place, `must be an array of filters, not ${typeName(operand)}`);
    if (operand.length === 0) throw new FilterError(place, 'must have a filter');
    const of = operand.map((inner, at) => this.operand(inner, path, [...place, at], level));
    return name === 'and' ? all(of) : { kind: 'any', of };
  }

  private operand(operand: Json, path: FieldPath, place: Place, level: number): Condition {
    if (path.length === 0 && !isJsonObject(operand)) {
      throw new FilterError(place, `must be a filter, not ${typeName(operand)}`);
    }
    if (path.length === 0 && isEmpty(operand)) throw new FilterError(place, 'must have a condition');
    return this.filter(operand, path, place, level + 1);
  }

  private comparisons(value: Record<string, Json>, path: FieldPath, place: Place): Condition[] {
    const operators = Object.keys(value).filter(isComparison);
    const ranges: { operator: Range; bound: Bound }[] = [];
    const of = operators.map((operator): Condition => {
      const operand = value[operator] as Json;
      const inner = [...place, operator];
      if (!isRange(operator)) return this.comparison(operator, operand, path, inner);
      const bound = boundOf(operand);
      if (typeof bound === 'string') throw new FilterError(inner, bound);
      ranges.push({ operator, bound });
      return this.leaf(inner, { kind: 'range', path, operator, bound });
    });
    const mixed = mixedRanges(ranges);
    if (mixed) throw new FilterError(place, mixed);
    return of;
  }

  private comparison(operator: Exclude<Comparison, Range>, operand: Json, path: FieldPath, place: Place): Condition {
    const problem = operandProblem(operator, operand);
    if (problem) throw new FilterError(place, problem);
    switch (operator) {
      case 'eq':
        return this.leaf(place, { kind: 'equal', path, value: operand });
      case 'ne':
        return { kind: 'not', of: this.leaf(place, { kind: 'equal', path, value: operand }) };
      case 'in':
        return this.among(operand as Json[], path, place);
      case 'nin':
        return { kind: 'not', of: this.among(operand as Json[], path, place) };
      case 'exists': {
        const exists = this.leaf(place, { kind: 'exists', path });
        return operand ? exists : { kind: 'not', of: exists };
      }
      case 'contains':
        return this.leaf(place, { kind: 'contains', path, value: operand as string });
      case 'startsWith':
        return this.leaf(place, { kind: 'startsWith', path, value: operand as string });
    }
  }

  private among(values: Json[], path: FieldPath, place: Place): Condition {
    this.values += values.length;
    if (this.values > FILTER_LIMITS.values) {
      throw new FilterError(place, `must not have more than ${FILTER_LIMITS.values} values in the whole filter`);
    }
    return this.leaf(place, { kind: 'among', path, values });
  }

  private leaf(place: Place, condition: Condition): Condition {
    this.conditions += 1;
    if (this.conditions > FILTER_LIMITS.conditions) {
      throw new FilterError(place, `is one of more than ${FILTER_LIMITS.conditions} conditions of the filter`);
    }
    return condition;
  }
}

const ALL: Condition = { kind: 'all', of: [] };

function all(of: readonly Condition[]): Condition {
  return of.length === 1 ? (of[0] as Condition) : { kind: 'all', of };
}

function isRange(operator: Comparison): operator is Range {
  return (RANGES as readonly string[]).includes(operator);
}

function isEmpty(value: Json): boolean {
  return isJsonObject(value) && Object.keys(value).length === 0;
}

/** Whether an object is a literal to its depth: no operator, no path, and nothing that resembles an operator. */
function isLiteral(value: Json): boolean {
  if (!isJsonObject(value)) return true;
  return Object.keys(value).every(
    (name) =>
      !isComparison(name) &&
      !isCombination(name) &&
      isPlainName(name) &&
      resembled(name) === undefined &&
      isLiteral(value[name] as Json),
  );
}
