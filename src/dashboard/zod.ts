import { z } from 'zod';

// Before any schema is made: its faster way makes functions out of text, which the Content-Security-Policy forbids.
z.config({ jitless: true });
