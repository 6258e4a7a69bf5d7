import type { ErrorType } from '../../../../src/contract/errors.ts';
import type { Case, Change } from '../case.ts';
import type { Contract, Operation } from '../contract.ts';
import { VIEW_TOKEN } from '../world.ts';

/**
 * Cases for the answers of middleware and to bad input, made from the document's example requests, for every operation
 * that documents the answer. A new route gets these cases automatically.
 */
export function commonCases(contract: Contract): Case[] {
  return contract.operations.flatMap((operation) => {
    const documented = new Set<string>(
      contract.documented([operation]).map((outcome) => outcome.split(' ').slice(2).join(' ')),
    );
    const fitting = ALL.filter((one) => documented.has(one.expect) && (one.fits?.(operation) ?? true));
    return fitting.map(({ change, fits: _fits, ...rest }) => ({
      operation: operation.id,
      ...rest,
      given: () => change?.(operation) ?? {},
    }));
  });
}

interface Common extends Pick<Case, 'on'> {
  expect: ErrorType;
  /** Default: all operations that document the answer. */
  fits?: (operation: Operation) => boolean;
  change?: (operation: Operation) => Change;
}

const ALL: Common[] = [
  { expect: 'Unauthorized', on: 'guarded' },
  {
    expect: 'Forbidden',
    change: () => ({ headers: { origin: 'https://elsewhere.example', 'sec-fetch-site': 'cross-site' } }),
  },
  { expect: 'WrongHost', change: () => ({ headers: { host: 'elsewhere.example' } }) },
  {
    expect: 'Forbidden',
    on: 'guarded',
    fits: ({ json }) => json['x-role'] !== undefined && json['x-role'] !== 'view',
    change: () => ({ headers: { authorization: `Bearer ${VIEW_TOKEN}` } }),
  },
  { expect: 'TooManyRequests', on: 'limited' },
  { expect: 'TooLarge', on: 'small' },
  { expect: 'UnsupportedMedia', change: () => ({ headers: { 'content-type': 'text/plain' } }) },
  { expect: 'HeadersTooLarge', change: () => ({ headers: { 'x-long': 'x'.repeat(20_000) } }) },
  { expect: 'DatabaseUnavailable', on: 'noDatabase' },
  { expect: 'TemporalUnavailable', on: 'noTemporal' },
  { expect: 'InvalidInput', change: spoil },
];

/** The example with one mistake: a bad name, a missing parameter, a body without fields, or a limit of 0. */
function spoil({ json }: Operation): Change {
  const parameters: { name: string; in: string; required?: boolean }[] = json.parameters ?? [];
  const inPath = parameters.find((parameter) => parameter.in === 'path');
  if (inPath) return { path: { [inPath.name]: 'A B' } };
  const required = parameters.find((parameter) => parameter.in === 'query' && parameter.required);
  if (required) return { query: { [required.name]: undefined } };
  return json.requestBody ? { body: {} } : { query: { limit: '0' } };
}
