import { requestOf, type Sendable } from '../../test/api/contract/case.ts';
import type { Contract, Operation } from '../../test/api/contract/contract.ts';
import { ODD_BYTES, ODD_HEADERS, ODD_JSON, ODD_PARAMETERS } from './odd-values.ts';

export type OddRequest = Omit<Sendable, 'body'> & { body: Buffer | undefined };

/** A placeholder in an example: a text that occurs in none of them, and is the same in a URL. */
const PLACE = 'odd--thing--here';

/**
 * Generates requests that are an example of the document with one odd thing in it: a value in the body at any depth, a
 * key, bytes at a position of the body, a parameter, or a header.
 */
export function* oddRequests(contract: Contract): Generator<OddRequest> {
  for (const operation of contract.operations) yield* requestsOf(contract, operation);
}

function* requestsOf(contract: Contract, operation: Operation): Generator<OddRequest> {
  const example = requestOf(contract, operation);
  const plain = example.body === undefined ? undefined : Buffer.from(example.body);
  const make = (change: Partial<OddRequest>): OddRequest => ({ ...example, body: plain, ...change });

  for (const { name, in: place } of operation.json.parameters ?? []) {
    if (place !== 'path' && place !== 'query') continue;
    const query = { [name]: PLACE, ...(name === 'wait' && { timeout: '1' }) };
    const { path } = requestOf(contract, operation, place === 'path' ? { path: { [name]: PLACE } } : { query });
    for (const value of ODD_PARAMETERS) yield make({ path: path.replace(PLACE, () => value) });
  }
  for (const headers of ODD_HEADERS) yield make({ headers: { ...example.headers, ...headers } });
  const text = example.body;
  if (text === undefined) return;
  for (const body of [...ODD_JSON.map((odd) => Buffer.from(odd)), ...ODD_BYTES]) yield make({ body });
  for (const holed of holesOf(JSON.parse(text))) {
    for (const odd of ODD_JSON) yield make({ body: Buffer.from(holed.replace(`"${PLACE}"`, () => odd)) });
  }
  for (const odd of ODD_BYTES) {
    for (let part = 0; part <= 8; part++) {
      const cut = Math.floor((text.length * part) / 8);
      yield make({ body: Buffer.concat([Buffer.from(text.slice(0, cut)), odd, Buffer.from(text.slice(cut))]) });
    }
  }
}

/** Yields the JSON of a value once for each value and key in it, with the placeholder in its place. */
function* holesOf(value: unknown): Generator<string> {
  yield JSON.stringify(PLACE);
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const [at, inner] of value.entries()) {
      for (const hole of holesOf(inner))
        yield `[${value.map((one, no) => (no === at ? hole : JSON.stringify(one))).join()}]`;
    }
    return;
  }
  const entries = Object.entries(value);
  for (const [key, inner] of entries) {
    for (const hole of holesOf(inner)) {
      yield `{${entries.map(([name, one]) => `${JSON.stringify(name)}:${name === key ? hole : JSON.stringify(one)}`).join()}}`;
    }
  }
  const rest = entries.map(([name, one]) => `${JSON.stringify(name)}:${JSON.stringify(one)}`).join();
  yield `{${rest}${rest && ','}"unknown":"${PLACE}"}`;
}
