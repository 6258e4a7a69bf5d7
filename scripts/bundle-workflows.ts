import { fileURLToPath } from 'node:url';
import { writeBundles } from '../src/runtime/workflow-bundle.ts';

await writeBundles(fileURLToPath(new URL('../dist/workflows/', import.meta.url)));
