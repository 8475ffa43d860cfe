/** Returns the members in a random order. */
export function shuffled<T>(members: readonly T[]): T[] {
  return members
    .map(member => ({ member, order: Math.random() }))
    .sort((one, other) => one.order - other.order)
    .map(({ member }) => member);
}
