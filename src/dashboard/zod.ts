import { z } from 'zod';

// Runs before any schema is created: zod's JIT creates functions from text, which the Content-Security-Policy forbids.
z.config({ jitless: true });
