import { readFileSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { messageOf, ReembedError } from '../contract/errors.ts';
import { isTask } from './define.ts';
import { globalRegistry } from './registry.ts';
import type { Registry } from './types.ts';

const MODULE = /\.[cm]?[jt]s$/;
const NO_MODULE = /(\.d|\.test|\.spec)\.[cm]?[jt]s$/;
const TYPESCRIPT = /\.[cm]?ts$/;

/**
 * Imports modules, and all modules in folders, and returns the global registry with the tasks that they define,
 * including exported tasks of other registries. TypeScript runs without a build, and `import` works in packages of
 * either module kind.
 * Error: `InvalidInput` for a missing path, a module that cannot be loaded, or if no module defines a task.
 */
export async function loadTasks(paths: readonly string[]): Promise<{ registry: Registry; modules: string[] }> {
  const modules = [...new Set((await Promise.all(paths.map(modulesAt))).flat())];
  await importTasks(modules);
  const registry = globalRegistry();
  if (registry.tasks.length === 0) {
    throw new ReembedError('InvalidInput', `${paths.join(', ')}: no module defines a task with defineTask()`);
  }
  return { registry, modules };
}

/** Imports modules and adds the tasks that they export to the global registry. */
export async function importTasks(modules: readonly string[]): Promise<void> {
  if (modules.some(needsTranslation)) {
    (await import('tsx/cjs/api')).register();
    (await import('tsx/esm/api')).register();
  }
  for (const module of modules) {
    const exports = await importModule(module);
    // The exports of a CommonJS module may be only in `default`.
    const inDefault = 'default' in exports && isObject(exports.default) ? Object.values(exports.default) : [];
    for (const exported of [...Object.values(exports), ...inDefault]) {
      if (isTask(exported)) globalRegistry().add(exported);
    }
  }
}

/** Returns true for TypeScript, and for JavaScript that may use `import` although Node treats it as CommonJS. */
function needsTranslation(module: string): boolean {
  if (TYPESCRIPT.test(module)) return true;
  return module.endsWith('.js') && packageTypeOf(path.dirname(module)) !== 'module';
}

/** Returns the `type` of the package that a folder belongs to. */
function packageTypeOf(folder: string): unknown {
  try {
    return JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')).type;
  } catch {
    const parent = path.dirname(folder);
    return parent === folder ? undefined : packageTypeOf(parent);
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

async function importModule(module: string): Promise<object> {
  try {
    return await import(pathToFileURL(module).href);
  } catch (error) {
    if (error instanceof ReembedError) throw error;
    throw new ReembedError('InvalidInput', `${module} cannot be loaded: ${messageOf(error)}`, { cause: error });
  }
}

async function modulesAt(written: string): Promise<string[]> {
  const place = path.resolve(written);
  const found = await stat(place).catch(() => undefined);
  if (!found) throw new ReembedError('InvalidInput', `${written}: there is no such file or folder`);
  if (found.isFile()) return [place];
  const entries = await readdir(place, { withFileTypes: true });
  const inner = entries
    .filter(({ name }) => name !== 'node_modules' && !name.startsWith('.'))
    .sort((left, right) => (left.name < right.name ? -1 : 1))
    .map(async (entry) => {
      const child = path.join(place, entry.name);
      if (entry.isDirectory()) return modulesAt(child);
      return MODULE.test(entry.name) && !NO_MODULE.test(entry.name) ? [child] : [];
    });
  return (await Promise.all(inner)).flat();
}
