/**
 * Configures zod before it is loaded, and so without loading it: its JIT creates functions from text, which the
 * Content-Security-Policy forbids.
 */
(globalThis as { __zod_globalConfig?: { jitless: boolean } }).__zod_globalConfig = { jitless: true };
