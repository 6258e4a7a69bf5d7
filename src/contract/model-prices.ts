import { z } from 'zod';
import { NAMED_MODEL } from './provider-models.ts';

/** Prices in US dollars per million tokens, by `provider/name`. */
export const modelPricesSchema = z.record(z.string().regex(NAMED_MODEL), z.number().nonnegative());
export type ModelPrices = z.output<typeof modelPricesSchema>;
