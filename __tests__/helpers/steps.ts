/**
 * Counts the steps that something takes: elements that are gone through or moved, in Arrays, Maps and Sets. Unlike its time, they are the same on every
 * machine, and however busy it is.
 */

interface Iterator {
  next: (...args: unknown[]) => unknown;
}

const iterators = [new Set(), new Map(), []].map(
  collection => Object.getPrototypeOf(collection[Symbol.iterator]()) as Iterator,
);
/** These go through all elements, or move them. */
const methods = [
  'filter',
  'find',
  'findIndex',
  'findLast',
  'some',
  'every',
  'map',
  'flatMap',
  'reduce',
  'forEach',
  'includes',
  'indexOf',
  'sort',
  'shift',
  'splice',
  'slice',
] as const;

export function stepsOf(act: () => void): number {
  let steps = 0;
  const undo: (() => void)[] = [];
  for (const prototype of iterators) {
    const { next } = prototype;
    prototype.next = function (this: Iterator, ...args) {
      ++steps;
      return next.apply(this, args);
    };
    undo.push(() => (prototype.next = next));
  }
  const arrays = Array.prototype as unknown as Record<string, (...args: unknown[]) => unknown>;
  for (const name of methods) {
    const method = arrays[name]!;
    arrays[name] = function (this: unknown[], ...args: unknown[]) {
      steps += this.length;
      return method.apply(this, args);
    };
    undo.push(() => (arrays[name] = method));
  }
  try {
    act();
  } finally {
    for (const restore of undo) restore();
  }
  return steps;
}
