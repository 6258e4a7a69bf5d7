import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, it } from 'vitest';

const ENTRY = fileURLToPath(new URL('../../../src/client/http/client.ts', import.meta.url));

it('the HTTP client runs where there is no Node: its bundle holds itself, the contract and zod alone', async () => {
  const { metafile, errors } = await build({
    entryPoints: [ENTRY],
    bundle: true,
    platform: 'browser',
    format: 'esm',
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
  expect(errors).toEqual([]);
  const foreign = Object.keys(metafile.inputs).filter(
    (path) => !/(^|\/)(src\/client\/http|src\/contract|node_modules\/zod)\//.test(path),
  );
  expect(foreign).toEqual([]);
});
