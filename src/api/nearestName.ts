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

/**
 * Returns the number of letters that have to be inserted, deleted, replaced, or swapped with their neighbours
 * (Damerau and Levenshtein, where no part changes twice).
 */
function changesBetween(one: string, other: string): number {
  let before: number[] = [];
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [index, letter] of [...one].entries()) {
    const next = [index + 1];
    for (let column = 1; column <= other.length; ++column) {
      const replaced = row[column - 1]! + Number(letter !== other[column - 1]);
      const isSwapped = column > 1 && letter === other[column - 2] && one[index - 1] === other[column - 1];
      const swapped = isSwapped ? before[column - 2]! + 1 : Infinity;
      next.push(Math.min(replaced, row[column]! + 1, next[column - 1]! + 1, swapped));
    }
    before = row;
    row = next;
  }
  return row[other.length]!;
}
