/** Returns how the rank of an object differs from that in another list. */
export function moveOf(id: string, place: number, other: readonly { id: string }[]): string {
  const there = other.findIndex((hit) => hit.id === id);
  if (there < 0) return 'only here';
  if (there === place) return 'same place';
  return `${there > place ? 'up' : 'down'} ${Math.abs(there - place)}`;
}
