/** MafaldaRouters that a session is attached to, with the objects that it has made in each of them. */
import type { MafaldaRouterOptions } from '../../api/types.ts';
import type { Member } from './exportedObject.ts';
import { Holding, type Owner } from './holding.ts';
import type { Attached, ServedMafalda } from './servedMafalda.ts';
import type { TreeExport } from './treeExport.ts';

export class Memberships {
  readonly #served: ServedMafalda;
  readonly #member: Member;
  readonly #owner: Owner;
  readonly #holdings = new Map<string, Holding>();

  constructor(served: ServedMafalda, member: Member, owner: Owner) {
    this.#served = served;
    this.#member = member;
    this.#owner = owner;
    served.introduce(member, owner);
  }

  get size(): number {
    return this.#holdings.size;
  }

  get trees(): TreeExport[] {
    return [...this.#holdings.values()].map(({ attached }) => attached.tree);
  }

  get(mafaldaRouterId: string): Holding | undefined {
    return this.#holdings.get(mafaldaRouterId);
  }

  attach(options: MafaldaRouterOptions): Attached {
    const attached = this.#served.attach(this.#member, options);
    const { id } = attached.mafaldaRouter;
    if (this.#holdings.get(id)?.attached !== attached) {
      const onTaken = (handles: number[]): void => this.#member.send({ type: 'disown', handles });
      this.#holdings.set(id, new Holding(this.#owner, attached, onTaken));
    }
    return attached;
  }

  /** Closes the objects that the session has made there, and those that its calls are still making. */
  async leave(holding: Holding): Promise<void> {
    this.#holdings.delete(holding.attached.mafaldaRouter.id);
    await this.#served.leave(this.#member, holding);
  }

  /** To be called when the client has lost its connection. */
  noteAbsence(): void {
    for (const { attached } of this.#holdings.values()) this.#served.noteAbsence(attached);
  }

  /** To be called when the MafaldaRouter has closed. */
  forget(mafaldaRouterId: string): void {
    this.#holdings.get(mafaldaRouterId)?.seal();
    this.#holdings.delete(mafaldaRouterId);
  }

  /** Leaves all MafaldaRouters, without closing anything: another server has taken over the objects. */
  release(): void {
    for (const holding of this.#holdings.values()) this.#served.release(this.#member, holding);
    this.#holdings.clear();
  }

  /** Closes all objects that the session has made. */
  async close(): Promise<void> {
    await Promise.all([...this.#holdings.values()].map(holding => this.leave(holding)));
  }

  /**
   * Leaves all MafaldaRouters of a client that may come back: its objects stay in those that others use too.
   * @param unknown handles of objects that the client may not know of, which close
   */
  async orphan(unknown: ReadonlySet<number>): Promise<void> {
    const holdings = [...this.#holdings.values()];
    this.#holdings.clear();
    await Promise.all(
      holdings.map(holding => {
        for (const { handle, node } of holding) if (unknown.has(handle)) node.object.close();
        return this.#served.orphan(this.#member, holding);
      }),
    );
  }
}
