import { z } from 'zod';

/** The same maximum as in text form. */
const MAX_SECONDS = 86_400 * 99_999;

/** A duration such as `90s`, `20m`, `24h`, `7d`, or a number of seconds. */
export const durationSchema = z
  .union([
    z.int().min(0).max(MAX_SECONDS),
    z
      .string()
      .regex(
        /^([0-9]{1,9}(\.[0-9]{1,9})? *(ms|s|m)|[0-9]{1,5}(\.[0-9]{1,9})? *(h|d))$/,
        'a number with ms, s, m, h or d, for instance 24h; at most 99999 hours or days',
      ),
  ])
  .meta({ description: 'Seconds, or a text such as `90s`, `20m`, `24h`, `7d`.', examples: ['24h'] });
export type Duration = z.output<typeof durationSchema>;
