/**
 * The API matches its OpenAPI document: every documented answer occurs, and every answer is documented, with its
 * status, content type, headers and body.
 *
 * To add a route: describe it, with an example for each required parameter and its body. `cases/common.ts` then
 * provokes the answers of middleware and to bad input. For each other answer, add a case to the file of its group in
 * `cases/`, or a new file to `CASES` below: `{ operation, expect, given }`, where `expect` is a status or an error type
 * and `given` creates what the case needs and returns how the request differs from the document's example. The last
 * test lists the answers that no case causes: add a case, or remove them from the document.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApiDocument } from '../../../src/api/document.ts';
import { silentDatabase, testApi } from '../support.ts';
import { bodyOf, type Case, exampleOf, requestOf, send } from './case.ts';
import { aliasCases } from './cases/aliases.ts';
import { commonCases } from './cases/common.ts';
import { indexCases } from './cases/indexes.ts';
import { jobCases } from './cases/jobs.ts';
import { objectCases } from './cases/objects.ts';
import { operationCases } from './cases/operation.ts';
import { querySetCases } from './cases/query-sets.ts';
import { runningCases } from './cases/running.ts';
import { samplingCases } from './cases/sampling.ts';
import { scheduleCases } from './cases/schedules.ts';
import { searchCases } from './cases/search.ts';
import { sourceCases } from './cases/sources.ts';
import { steeringCases } from './cases/steering.ts';
import {
  evaluationCases,
  inputCases,
  liveWritesCases,
  planCases,
  readsCases,
  steerResultCases,
  taskCases,
} from './cases/tasks.ts';
import { Contract } from './contract.ts';
import { openWorld, type World } from './world.ts';

const document = openApiDocument(testApi(silentDatabase()));
const contract = new Contract(document);

const GROUPS = [
  indexCases,
  aliasCases,
  objectCases,
  searchCases,
  querySetCases,
  sourceCases,
  samplingCases,
  operationCases,
  taskCases,
  steerResultCases,
  evaluationCases,
  inputCases,
  liveWritesCases,
  readsCases,
  planCases,
  steeringCases,
  runningCases,
  jobCases,
  scheduleCases,
].flat();
const keyOf = ({ operation, expect }: { operation: string; expect: unknown }) => `${operation} ${expect}`;
const special = new Set(GROUPS.map(keyOf));
/** A group's case replaces the common one for the same answer. */
const CASES = [...commonCases(contract).filter((one) => !special.has(keyOf(one))), ...GROUPS];

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.close());

describe('the document', () => {
  const parameters = contract.operations.flatMap(({ id, json }) =>
    (json.parameters ?? []).map((parameter: { name: string }) => ({ at: `${id} ${parameter.name}`, ...parameter })),
  );

  it('describes every operation, parameter and tag', () => {
    for (const { id, json } of contract.operations) {
      expect([id, json.summary, json.tags]).toEqual([id, expect.stringMatching(/.{8}/), [expect.any(String)]]);
      expect(document.tags).toContainEqual({ name: json.tags[0], description: expect.stringMatching(/.{8}/) });
    }
    for (const { at, description } of parameters)
      expect([at, description]).toEqual([at, expect.stringMatching(/.{8}/)]);
  });

  it('gives a valid example of every body, and of every parameter except cursors', () => {
    for (const { at, schema } of parameters.filter(({ name }) => name !== 'cursor')) {
      expect([at, contract.mismatches(schema, exampleOf(schema))]).toEqual([at, []]);
    }
    for (const { id, json } of contract.operations) {
      const content: object = json.requestBody?.content ?? {};
      for (const { schema, example } of Object.values(content)) {
        const given = example ?? exampleOf(contract.deref(schema));
        expect([id, given, contract.mismatches(schema, given)]).toEqual([id, expect.anything(), []]);
      }
    }
  });
});

it.each(CASES)('$operation answers $expect as documented', answersAsDocumented);

async function answersAsDocumented({ operation, expect: expected, on, given }: Case): Promise<void> {
  const change = (await given?.(world)) ?? {};
  const { method, path, headers, body } = requestOf(contract, contract.operation(operation), change);
  const response = await send(world.servers[on ?? 'api'] + path, { method, headers, body });
  const seen = { method, path, status: response.status, headers: response.headers, body: await bodyOf(response) };
  const isProblem = response.headers.get('content-type') === 'application/problem+json';
  expect(isProblem ? JSON.parse(seen.body).type : seen.status, seen.body.slice(0, 500)).toBe(
    typeof expected === 'string' ? `urn:reembed:error:${expected}` : expected,
  );
  expect(contract.check(seen)).toEqual([]);
}

it('every documented answer has occurred', () => {
  expect(contract.documented().filter((outcome) => !contract.outcomes.has(outcome))).toEqual([]);
});
