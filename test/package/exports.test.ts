import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (file: string) => JSON.parse(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8'));

interface Manifest {
  exports: Record<string, { types: string; default: string }>;
  devDependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
  peerDependenciesMeta: Record<string, { optional: boolean }>;
}

const { exports, devDependencies, peerDependencies, peerDependenciesMeta }: Manifest = read('package.json');

test('every entry point of the package has a source, is found by its name in the sources, and is in the reference', () => {
  const { paths } = read('tsconfig.json').compilerOptions as { paths: Record<string, string[]> };
  const { entryPoints } = read('scripts/docs/typedoc.json') as { entryPoints: string[] };
  const sources = Object.entries(exports).map(([name, { types, default: code }]) => {
    const source = code.replace('./dist/', './src/').replace(/\.js$/, '.ts');
    expect([types, existsSync(new URL(`../../${source}`, import.meta.url))]).toEqual([
      code.replace(/\.js$/, '.d.ts'),
      true,
    ]);
    return [name.replace('.', 'reembed'), [source]];
  });
  expect(sources.length).toBeGreaterThan(5);
  expect(paths).toEqual(Object.fromEntries(sources));
  expect(entryPoints.map((file) => file.replace('../../', './'))).toEqual(Object.values(paths).flat());
});

test('every package that an integration needs is an optional peer, in the version that the tests use', () => {
  expect(Object.keys(peerDependencies).length).toBeGreaterThan(0);
  for (const [name, version] of Object.entries(peerDependencies)) {
    expect([name, devDependencies[name], peerDependenciesMeta[name]]).toEqual([name, version, { optional: true }]);
  }
});
