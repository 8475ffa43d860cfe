/**
 * MafaldaRouters that an application of this process uses, itself or by a controller: they outlive the clients of a
 * server in the same process.
 */
const used = new WeakSet<object>();

export function noteUsedHere(mafaldaRouter: object): void {
  used.add(mafaldaRouter);
}

export function isUsedHere(mafaldaRouter: object): boolean {
  return used.has(mafaldaRouter);
}
