/**
 * Returns the name that was probably meant: the known name that takes fewest changes, if it takes few; undefined if no
 * name is near.
 */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const most = Math.max(1, Math.floor(name.length / 3));
  const ranked = known.map(candidate => ({
    candidate,
    changes: changesBetween(name.toLowerCase(), candidate.toLowerCase()),
  }));
  return ranked.filter(({ changes }) => changes <= most).sort((a, b) => a.changes - b.changes)[0]?.candidate;
}

/** Returns the number of letters that have to be inserted, deleted or replaced (Levenshtein). */
function changesBetween(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [index, letter] of [...one].entries()) {
    const next = [index + 1];
    for (let column = 1; column <= other.length; ++column) {
      const replaced = row[column - 1]! + Number(letter !== other[column - 1]);
      next.push(Math.min(replaced, row[column]! + 1, next[column - 1]! + 1));
    }
    row = next;
  }
  return row[other.length]!;
}
