import { BASES, type Basis, type Figure } from '../contract/plan.ts';

export const exact = (value: number, from: string): Figure => figure(value, 'exact', from);
export const estimated = (value: number, from: string): Figure => figure(value, 'estimated', from);
export const unknown = (from: string): Figure => ({ value: null, basis: null, from });

export function figure(value: number, basis: Basis, from: string): Figure {
  return { value, basis, from };
}

/** Returns the least certain basis. */
export function weakest(...bases: Basis[]): Basis {
  return BASES[Math.max(...bases.map((basis) => BASES.indexOf(basis)))] as Basis;
}
