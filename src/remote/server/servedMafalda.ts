/** The Mafalda that a server shows to clients, and its MafaldaRouters that clients are attached to. */
import type { MafaldaApi, MafaldaRouterOptions, MafaldaRouterState } from '../../api/types.ts';
import type { PipeableMafaldaRouter } from '../../base/pipeableMafaldaRouter.ts';
import { findMafaldaRouter, heldRoomsOf, obtainMafaldaRouter, type FoundRoom } from '../../base/roomFinder.ts';
import { noteOrphanList } from '../../base/orphanLists.ts';
import { isUsedHere } from '../../base/usedHere.ts';
import { logger } from '../../core/logger.ts';
import type { TreeNode } from '../../core/objectTree.ts';
import { isLinkTransport } from '../../piping/endpoint.ts';
import { resolveMafaldaRouterOptions, type ResolvedMafaldaRouterOptions } from '../../api/mafaldaRouterOptions.ts';
import type { MemoryBudget } from '../protocol/memory.ts';
import type { Family } from '../../core/addresses/families.ts';
import { areAdopted, isUnconfirmed, MAX_ADOPTED } from '../protocol/validate.ts';
import { Delegation, type DelegationOptions } from './delegation.ts';
import type { ExportedObject, Member } from './exportedObject.ts';
import { Exports } from './exports.ts';
import type { Holding, Owner } from './holding.ts';
import { OrphanRegistry } from './orphanRegistry.ts';
import { PipeHolds } from './pipeHolds.ts';
import { RoomTeller } from './roomTeller.ts';
import { TreeExport } from './treeExport.ts';
import type { SettingsPolicy } from './settingsPolicy.ts';

const log = logger('server');

/** A MafaldaRouter that clients are attached to. */
export interface Attached {
  readonly mafaldaRouter: PipeableMafaldaRouter;
  readonly tree: TreeExport;
  /** Number that distinguishes it from earlier and later MafaldaRouters of its id. */
  readonly number: number;
}

export class ServedMafalda {
  readonly mafalda: MafaldaApi;
  readonly exports: Exports;
  readonly orphans: OrphanRegistry;
  readonly pipeHolds = new PipeHolds();
  readonly delegation: Delegation;
  readonly roomTeller = new RoomTeller(() => heldRoomsOf(this.mafalda));
  readonly #settings: SettingsPolicy;
  readonly #owners = new WeakMap<Member, Owner>();
  #nextNumber = 1;
  readonly #attached = new Map<string, Attached>();
  /** MafaldaRouters that were made for clients, rather than by an application in this process. */
  readonly #createdForClients = new WeakSet<PipeableMafaldaRouter>();
  /** MafaldaRouters created without `routerOptions`, which a later client may define. */
  readonly #withoutOptions = new WeakSet<PipeableMafaldaRouter>();

  /**
   * @param families of this server's addresses for pipes, if it has addresses of its own
   * @param settings policy of Workers' settings
   * @param orphanTimeout time after which the objects of absent clients close, in ms
   */
  constructor(
    mafalda: MafaldaApi,
    serverId: string,
    memory: MemoryBudget,
    families: readonly Family[] | undefined,
    settings: SettingsPolicy,
    { orphanTimeout, ...delegation }: DelegationOptions & { orphanTimeout: number },
  ) {
    this.#settings = settings;
    this.mafalda = mafalda;
    this.exports = new Exports(serverId, memory, families);
    this.orphans = new OrphanRegistry(orphanTimeout);
    this.delegation = new Delegation(mafalda, delegation);
  }

  /** Number of MafaldaRouters that clients are attached to. */
  get attached(): number {
    return this.#attached.size;
  }

  attach(member: Member, given: MafaldaRouterOptions): Attached {
    const options = this.#settled(given);
    const { id } = this.#resolved(options);
    const isNew = !this.mafalda.mafaldaRouters.has(id);
    const mafaldaRouter = obtainMafaldaRouter(this.mafalda, options);
    if (isNew) this.#noteMade(mafaldaRouter, options);
    const attached = this.#attached.get(mafaldaRouter.id) ?? this.#export(mafaldaRouter);
    attached.tree.attach(member);
    return attached;
  }

  /**
   * Finds a MafaldaRouter that exists, with its present objects, here or at a node of the Mafalda.
   * @param ask whether nodes are asked too
   */
  async find(given: MafaldaRouterOptions, ask: boolean): Promise<FoundRoom> {
    const options = this.#settled(given);
    const { id } = this.#resolved(options);
    const isNew = !this.mafalda.mafaldaRouters.has(id);
    const found = await findMafaldaRouter(this.mafalda, { ...options, id }, ask);
    const { mafaldaRouter } = found;
    if (mafaldaRouter?.closed) return { ...found, mafaldaRouter: undefined };
    if (isNew && mafaldaRouter) this.#noteMade(mafaldaRouter, options);
    return found;
  }

  /** Leaves a MafaldaRouter that was found for a client which has gone in the meantime. */
  leaveIfUnused(mafaldaRouter: PipeableMafaldaRouter): void {
    if (this.#attached.has(mafaldaRouter.id) || !this.#isForClients(mafaldaRouter)) return;
    mafaldaRouter.leave().catch(error => log.warn('leaving MafaldaRouter %s: %o', mafaldaRouter.id, error));
  }

  #settled(given: MafaldaRouterOptions): MafaldaRouterOptions {
    const workerSettings = this.#settings.settle(given?.workerSettings, 'workerSettings.');
    return workerSettings ? { ...given, workerSettings } : given;
  }

  /** Resolves the options, and gives them to a MafaldaRouter of this id that has none yet. */
  #resolved(options: MafaldaRouterOptions): ResolvedMafaldaRouterOptions {
    const resolved = resolveMafaldaRouterOptions(options);
    const existing = this.mafalda.mafaldaRouters.get(resolved.id) as PipeableMafaldaRouter | undefined;
    if (existing && options.routerOptions && this.#withoutOptions.delete(existing))
      existing.define(resolved.routerOptions);
    return resolved;
  }

  #noteMade(mafaldaRouter: PipeableMafaldaRouter, options: MafaldaRouterOptions): void {
    this.#createdForClients.add(mafaldaRouter);
    if (!options?.routerOptions) this.#withoutOptions.add(mafaldaRouter);
  }

  /** Returns an object if it is shown to the client. */
  shownTo(member: Member, handle: number): ExportedObject | undefined {
    const exported = this.exports.byHandle(handle);
    return exported?.exporter.isShownTo(member) ? exported : undefined;
  }

  /** Records the identity of a client. To be called before it attaches to anything. */
  introduce(member: Member, owner: Owner): void {
    this.#owners.set(member, owner);
  }

  /** Lists all MafaldaRouters, with the clients that are attached to them. */
  async list(): Promise<MafaldaRouterState[]> {
    const states = await this.mafalda.listMafaldaRouters();
    return states.map(({ id, holders }) => {
      const clients = [...(this.#attached.get(id)?.tree.members ?? [])].flatMap(member => {
        const owner = this.#owners.get(member);
        return owner ? [owner.name ?? owner.session] : [];
      });
      const [own] = holders;
      if (own && own.node === undefined)
        return { id, holders: [{ ...own, clients: [...own.clients, ...clients] }, ...holders.slice(1)] };
      return { id, holders: clients.length > 0 ? [{ clients, objects: 0 }, ...holders] : holders };
    });
  }

  /** Detaches the client, and closes its objects. */
  async leave(member: Member, holding: Holding): Promise<void> {
    const { attached } = holding;
    attached.tree.detach(member);
    this.noteAbsence(attached);
    // The objects close in turns, also if the MafaldaRouter closes next: closing it in one go would delay other
    // clients.
    await holding.close();
    this.#closeUnused(attached);
  }

  /**
   * Detaches a client whose objects another server has taken over, or is about to: until word of that has come they are
   * orphans, and stay that if it never comes.
   */
  release(member: Member, holding: Holding): void {
    const { attached } = holding;
    attached.tree.detach(member);
    if (this.#createdForClients.has(attached.mafaldaRouter)) this.orphans.add(holding);
    else {
      // An application of this process, which has the MafaldaRouter, sees the objects there.
      holding.seal();
      holding.lose([...holding]);
    }
    this.#closeUnused(attached);
  }

  /**
   * Makes objects the client's own, whoever has made them: they close with its session from now on, here and at the
   * servers below. Handles of closed objects, and those of Workers, Routers and pipes, are left out.
   * @throws {TypeError} for a malformed argument
   */
  async adopt(holding: Holding, handles: unknown): Promise<void> {
    if (!areAdopted(handles)) throw new TypeError(`adopt(): needs an array of at most ${MAX_ADOPTED} handles`);
    const { tree } = holding.attached;
    const adopted = handles.flatMap(handle => {
      const exported = this.exports.byHandle(handle);
      return exported?.exporter === tree && isAdoptable(exported.node) ? exported : [];
    });
    await this.#give(adopted, holding);
  }

  /**
   * Makes an orphan that a client uses the client's own: a Transport with the orphans in it, or another object alone.
   * Objects that a living client uses do not close as leftovers of another one.
   */
  takeOver(holding: Holding, used: ExportedObject): void {
    const orphans = this.#orphansWith(used);
    if (orphans.length === 0) return;
    log('session %s takes over %d orphans', holding.owner.session, orphans.length);
    this.#give(orphans, holding).catch(error => log.warn('taking over orphans: %o', error));
  }

  #orphansWith(used: ExportedObject): ExportedObject[] {
    const { node } = used;
    const transport = node.parent?.type === 'transport' ? node.parent : node;
    const exported = this.exports.byObject(transport.object);
    if (!exported || !this.orphans.has(exported)) return this.orphans.has(used) ? [used] : [];
    const inside = [...transport.children].flatMap(({ object }) => this.exports.byObject(object) ?? []);
    return [exported, ...inside.filter(child => this.orphans.has(child))];
  }

  async #give(objects: readonly ExportedObject[], holding: Holding): Promise<void> {
    holding.adopt(objects);
    await holding.attached.mafaldaRouter.adopt(objects.map(({ node }) => node.object));
  }

  /** Detaches an absent client. Its objects stay for its return if other clients are attached, and close if none is. */
  async orphan(member: Member, holding: Holding): Promise<void> {
    const { tree } = holding.attached;
    if (tree.memberCount <= 1) return this.leave(member, holding);
    tree.detach(member);
    this.noteAbsence(holding.attached);
    this.orphans.add(holding);
  }

  /** Gives up the links that only a client which is away may still use. To be called when a client has gone. */
  noteAbsence({ tree, mafaldaRouter }: Attached): void {
    for (const { routerId, remoteRouterId } of tree.lostLinks)
      mafaldaRouter
        .leaveLinks({ routerId, remoteRouterId, consumerIds: [], isDead: true })
        .catch(error => log.warn('leaving links to router %s: %o', remoteRouterId, error));
  }

  /**
   * Closes objects that a client had closed in an earlier session, if that had not arrived then.
   * @throws {TypeError} for a malformed argument
   */
  closeUnconfirmed(unconfirmed: unknown): void {
    if (!isUnconfirmed(unconfirmed))
      throw new TypeError('closeUnconfirmed(): needs an object with mafaldaRouter and handles');
    const { mafaldaRouter, handles, number } = unconfirmed;
    const attached = this.#attached.get(mafaldaRouter);
    if (!attached) return;
    for (const handle of handles) {
      const exported = this.exports.byHandle(handle);
      if (exported?.exporter === attached.tree && exported.method('close')) exported.node.object.close();
    }
    if (number === attached.number)
      this.close(attached).catch(error => log.warn('closing MafaldaRouter %s: %o', mafaldaRouter, error));
  }

  /** Closes a MafaldaRouter for a client: in turns with other work, unless an application of this process uses it too. */
  async close({ mafaldaRouter }: Attached): Promise<void> {
    await (this.#isForClients(mafaldaRouter) ? mafaldaRouter.closeInTurns() : mafaldaRouter.close());
  }

  /**
   * Leaves a MafaldaRouter that was made for clients and has none any more, since nothing else would ever close it;
   * only stops showing a MafaldaRouter of an application in this process.
   */
  #closeUnused(attached: Attached): void {
    const { tree, mafaldaRouter } = attached;
    if (tree.memberCount > 0 || this.#attached.get(mafaldaRouter.id) !== attached) return;
    if (!this.#isForClients(mafaldaRouter)) {
      void this.orphans.closeOf(holding => holding.attached === attached);
      this.#attached.delete(mafaldaRouter.id);
      tree.close();
      return;
    }
    mafaldaRouter.leave().catch(error => log.warn('leaving MafaldaRouter %s: %o', mafaldaRouter.id, error));
  }

  /** Returns whether only clients use the MafaldaRouter. */
  #isForClients(mafaldaRouter: PipeableMafaldaRouter): boolean {
    return this.#createdForClients.has(mafaldaRouter) && !isUsedHere(mafaldaRouter);
  }

  #export(mafaldaRouter: PipeableMafaldaRouter): Attached {
    const { id } = mafaldaRouter;
    const attached = {
      mafaldaRouter,
      tree: new TreeExport(mafaldaRouter.tree, this.exports, id),
      number: this.#nextNumber++,
    };
    this.#attached.set(id, attached);
    noteOrphanList(mafaldaRouter, this.orphans);
    mafaldaRouter.once('close', () => {
      if (this.#attached.get(id) !== attached) return;
      this.#attached.delete(id);
      attached.tree.send({ type: 'closeMafaldaRouter', mafaldaRouter: id });
      attached.tree.close();
    });
    return attached;
  }
}

/** Whether a client can own the object: those of links and pipes serve all clients. */
function isAdoptable({ type, object, parent }: TreeNode): boolean {
  if (type === 'transport') return !isLinkTransport(object);
  if (type === 'rtpObserver') return true;
  return parent?.type === 'transport' && !isLinkTransport(parent.object);
}
