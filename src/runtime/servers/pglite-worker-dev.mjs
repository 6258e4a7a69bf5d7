// Starts the thread from the sources: tsx and vitest teach TypeScript to their own threads only. The build does not
// carry this file, it starts the compiled pglite-worker.js directly.
import { register } from 'tsx/esm/api';

register();
await import('./pglite-worker.ts');
