import { z } from 'zod';
import { jsonProblem } from './json.ts';
import { isLongerJson } from './json-size.ts';

const MAX_BYTES = 4 * 1024;
const LIMITS_OF_BODY = { levels: 5, values: 100 };

/** Fields of a request that belong to reembed, by what they decide, in lower case without separators. */
const OWN: Readonly<Record<string, string>> = {
  ...named('the model; set name instead', 'model', 'modelid'),
  ...named(
    'the texts',
    ...['input', 'inputs', 'inputtext', 'text', 'texts', 'content', 'contents', 'prompt', 'prompts', 'images'],
    ...['requests', 'instances'],
  ),
  ...named(
    'the dimensions; set dimensions and sendDimensions instead',
    ...['dimensions', 'dimension', 'outputdimension', 'outputdimensionality'],
  ),
  ...named('the encoding of vectors', 'encodingformat', 'embeddingtype', 'embeddingtypes', 'outputdtype'),
  ...named('whether texts are queries; set sendRole instead', 'inputtype', 'task', 'tasktype'),
  ...named('what happens to long texts, which are never cut', 'truncate', 'truncation', 'autotruncate'),
  ...named('what one vector stands for', 'latechunking', 'stream'),
};
const SECRET =
  /^(?:x)?(?:api|access|secret|private|auth|bearer)?(?:key|token|secret|password|authorization|credentials?)$/;

function named(what: string, ...names: string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, what]));
}

const plainOf = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, '');

/**
 * Schema of fields that are added to the body of each request. They are stored with the index and shown with it, so keys
 * are refused, and so are fields that reembed sets itself.
 */
export const extraBodySchema = z
  .record(z.string().min(1).max(100), z.unknown())
  .superRefine((body, ctx) => {
    const problem = jsonProblem(body, LIMITS_OF_BODY);
    if (problem) return ctx.addIssue({ code: 'custom', path: problem.path, message: problem.message });
    if (isLongerJson(body, MAX_BYTES))
      ctx.addIssue({ code: 'custom', message: `must have at most ${MAX_BYTES} bytes` });
    for (const name of Object.keys(body)) {
      const plain = plainOf(name);
      if (Object.hasOwn(OWN, plain)) {
        ctx.addIssue({ code: 'custom', path: [name], message: `must not be set here: it decides ${OWN[plain]}` });
      }
    }
    for (const path of secretsIn(body)) {
      const message = 'must not hold a key: it would be stored and shown with the index; set apiKeyEnv instead';
      ctx.addIssue({ code: 'custom', path, message });
    }
  })
  .meta({
    description: `More fields of the body of each request, such as \`{"user": "search"}\`: at most ${MAX_BYTES} bytes, no keys, and none that reembed sets itself.`,
    type: 'object',
  });

function secretsIn(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const at = [...path, name];
    return [...(SECRET.test(plainOf(name)) && typeof inner === 'string' ? [at] : []), ...secretsIn(inner, at)];
  });
}
