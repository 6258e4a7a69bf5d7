import type { Budget } from '../contract/budget.ts';
import { invalidField } from '../contract/errors.ts';

/** The price of a model's input; embedding models charge for nothing else. */
export interface ModelPrice {
  usdPerMillionTokens: number;
}

/** Prices in US dollars per million tokens, by `provider/name`; from `REEMBED_MODEL_PRICES`. */
export type PriceOverrides = Readonly<Record<string, number>>;

/**
 * List prices of well-known models in US dollars per million tokens, without discounts for batches or volume. Prices
 * change: a setting overrides them.
 */
const LIST_PRICES: Readonly<Record<string, number>> = {
  'text-embedding-3-small': 0.02,
  'text-embedding-3-large': 0.13,
  'text-embedding-ada-002': 0.1,
  'embed-v4.0': 0.12,
  'embed-english-v3.0': 0.1,
  'embed-english-light-v3.0': 0.1,
  'embed-multilingual-v3.0': 0.1,
  'embed-multilingual-light-v3.0': 0.1,
  'voyage-4-large': 0.12,
  'voyage-3-large': 0.18,
  'voyage-3.5': 0.06,
  'voyage-3.5-lite': 0.02,
  'voyage-3': 0.06,
  'voyage-3-lite': 0.02,
  'voyage-code-3': 0.18,
  'voyage-finance-2': 0.12,
  'voyage-law-2': 0.12,
};

/** Whether a model runs in this process, and so has neither a price nor calls of a provider. */
export function isFree({ provider }: { provider: string }): boolean {
  return provider === 'hash' || provider === 'words' || provider === 'local';
}

/**
 * Returns the price of a model, or undefined if it is unknown. Built-in models cost nothing. Gateways put the vendor
 * before the name (`openai/text-embedding-3-small`), which is ignored.
 */
export function priceOf(
  { provider, name }: { provider: string; name: string },
  overrides: PriceOverrides = {},
): ModelPrice | undefined {
  const stated = valueIn(overrides, `${provider}/${name}`);
  if (stated !== undefined) return { usdPerMillionTokens: stated };
  if (isFree({ provider })) return { usdPerMillionTokens: 0 };
  if (provider === 'custom') return undefined;
  const listed = valueIn(LIST_PRICES, name.slice(name.lastIndexOf('/') + 1));
  return listed === undefined ? undefined : { usdPerMillionTokens: listed };
}

/** Providers with an interface for batches that is known here, and its share of the usual price. */
const BATCH_PRICE_SHARES: Readonly<Record<string, number>> = { openai: 0.5 };

/** Returns the share of the usual price at which a provider answers batches; undefined if it has none. */
export function batchPriceShareOf({ provider }: { provider: string }): number | undefined {
  return BATCH_PRICE_SHARES[provider];
}

/** Checks that a model can be called in batches. Error: `InvalidInput` about `batchApi`. */
export function requireBatches(model: { provider: string }): void {
  if (batchPriceShareOf(model) !== undefined) return;
  const known = Object.keys(BATCH_PRICE_SHARES).join(', ');
  throw invalidField('batchApi', `the provider ${model.provider} has no interface for batches; ${known} has`);
}

/** Reads a key that may be a name of `Object.prototype`. */
function valueIn(prices: PriceOverrides, key: string): number | undefined {
  return Object.hasOwn(prices, key) ? prices[key] : undefined;
}

/** Checks that a budget in US dollars can be kept. Error: `InvalidInput` about `budget.usd`. */
export function requirePrice(
  { usd }: Partial<Record<keyof Budget, unknown>>,
  model: { provider: string; name: string } | undefined,
  overrides: PriceOverrides = {},
  path = 'budget.usd',
): void {
  if (usd == null || model === undefined || priceOf(model, overrides)) return;
  const name = `${model.provider}/${model.name}`;
  throw invalidField(path, `the price of ${name} is unknown: set it in REEMBED_MODEL_PRICES, or limit tokens or calls`);
}
