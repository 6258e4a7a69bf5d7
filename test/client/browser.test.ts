import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, it } from 'vitest';

const ENTRY = fileURLToPath(new URL('../../src/client/client.ts', import.meta.url));

it('the HTTP client runs without Node: its bundle contains only itself, the contract and zod', async () => {
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
    (path) => !/(^|\/)(src\/client|src\/contract|node_modules\/zod)\//.test(path),
  );
  expect(foreign).toEqual([]);
});
