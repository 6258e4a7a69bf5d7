import { z } from 'zod';
import { ROLES } from './roles.ts';

/** Who a caller is to the API. */
export const meBody = z
  .object({
    name: z.string().nullable().describe('The name of the token; null when the server needs none.'),
    role: z.enum(ROLES).describe('What the caller may do; `admin` when the server needs no token.'),
  })
  .meta({ id: 'Me' });
export type Me = z.output<typeof meBody>;
