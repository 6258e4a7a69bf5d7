// Starts the thread from the sources: tsx and vitest enable TypeScript only in their own threads. The build starts the
// compiled pglite-worker.js directly and does not include this file.
import { register } from 'tsx/esm/api';

register();
await import('./pglite-worker.ts');
