import { SHAPES } from '../../../bench/costs/fit.ts';
import { type Measured, QUANTITIES, type QuantityName } from '../../../bench/costs/quantities.ts';

/** What each object adds to a quantity; one that is not named does not grow. */
export type Rates = Partial<Record<QuantityName, number>>;

/** Measurements of quantities that grow exactly with the size. */
export function measuredWith(rates: Rates, single: Partial<Measured['single']> = {}): Measured[] {
  return [2_000, 8_000, 32_000].map((size) => {
    const figures = Object.fromEntries(
      Object.entries(QUANTITIES).map(([name, { growth }]) => {
        return [name, (rates[name as QuantityName] ?? 0) * SHAPES[growth](size)];
      }),
    ) as Measured['figures'];
    return { size, figures, single: { wal: 0, actions: 0, events: 0, history: 0, ...single } };
  });
}
