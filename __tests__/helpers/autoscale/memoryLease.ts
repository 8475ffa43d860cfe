/** A lease in the memory of one process, for several who want it there. */
import type { Lease } from '../../../src/horizontal/directory/lease.ts';

export class MemoryLeases {
  readonly duration: number;
  #holder: MemoryLease | undefined;
  #until = -Infinity;
  #fence = 0;

  constructor(duration: number) {
    this.duration = duration;
  }

  lease(): MemoryLease {
    return new MemoryLease(this);
  }

  acquire(lease: MemoryLease): number | undefined {
    const now = performance.now();
    if (this.#holder !== lease && now < this.#until) return undefined;
    if (this.#holder !== lease || now >= this.#until) ++this.#fence;
    this.#holder = lease;
    this.#until = now + this.duration;
    return this.#fence;
  }

  release(lease: MemoryLease): void {
    if (this.#holder === lease) this.#until = -Infinity;
  }
}

export class MemoryLease implements Lease {
  readonly #leases: MemoryLeases;
  /** Whether it does not get through any more, as that of a process that was killed. */
  isDead = false;

  constructor(leases: MemoryLeases) {
    this.#leases = leases;
  }

  get duration(): number {
    return this.#leases.duration;
  }

  async acquire(): Promise<number | undefined> {
    if (this.isDead) throw new Error('there is no way to the lease');
    return this.#leases.acquire(this);
  }

  async release(): Promise<void> {
    if (!this.isDead) this.#leases.release(this);
  }
}
