import { z } from 'zod';
import { ROLES } from './roles.ts';

/** Identity of the caller of the API. */
export const meBody = z
  .object({
    name: z.string().nullable().describe('Name of the token; null when the server requires no token.'),
    role: z.enum(ROLES).describe('Role of the caller; `admin` when the server requires no token.'),
  })
  .meta({ id: 'Me' });
export type Me = z.output<typeof meBody>;
