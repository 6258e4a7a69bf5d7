import { z } from 'zod';

/** Prices in US dollars per million tokens, by `provider/name`. */
export const modelPricesSchema = z.record(z.string().regex(/^(openai|custom)\/.+/), z.number().nonnegative());
export type ModelPrices = z.output<typeof modelPricesSchema>;
