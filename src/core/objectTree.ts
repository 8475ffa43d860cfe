/**
 * Tree of the existing objects: Workers hold Routers and WebRtcServers, Routers hold Transports and RtpObservers,
 * Transports hold Producers and Consumers. mediasoup's objects don't list their contents, they only announce (through
 * `observer`) new and closed objects; so a tree is kept from the first Router on, which the public Maps, the pipes, and
 * the server that shows it to its clients all read.
 */
import { EventEmitter } from 'eventemitter3';
import type {
  Consumer,
  DataConsumer,
  DataProducer,
  Producer,
  Router,
  RtpObserver,
  Transport,
  WebRtcServer,
  Worker,
} from 'mediasoup/types';
import { onceClosed } from './onceClosed.ts';
import { ReadOnlyMap } from './readOnlyMap.ts';

export interface ObjectTypes {
  worker: Worker;
  webRtcServer: WebRtcServer;
  router: Router;
  transport: Transport;
  rtpObserver: RtpObserver;
  producer: Producer;
  consumer: Consumer;
  dataProducer: DataProducer;
  dataConsumer: DataConsumer;
}

export type ObjectType = keyof ObjectTypes;

interface TreeNodeOf<T extends ObjectType> {
  readonly type: T;
  /** Id of the object; for a Worker, which has none, its key in the `workers` Map. */
  readonly id: string;
  readonly object: ObjectTypes[T];
  readonly parent: TreeNode | undefined;
  readonly children: Set<TreeNode>;
  /** Ids of the Producers that an RtpObserver observes. */
  readonly observed: Set<string>;
}

export type TreeNode<T extends ObjectType = ObjectType> = T extends ObjectType ? TreeNodeOf<T> : never;

export type ObjectTreeEvents = {
  add: [node: TreeNode];
  /** Emitted when an object has closed, for children before their parents. */
  remove: [node: TreeNode];
  /** Emitted when another controller has taken over an object that this process has made. */
  disown: [node: TreeNode];
  /** Emitted when an RtpObserver begins to observe a Producer. */
  observe: [rtpObserver: TreeNode<'rtpObserver'>, producerId: string];
  /** Emitted when an RtpObserver has let go of a Producer, or the Producer has closed. */
  unobserve: [rtpObserver: TreeNode<'rtpObserver'>, producerId: string];
};

const hasChildren: ReadonlySet<ObjectType> = new Set(['worker', 'router', 'transport']);
/** Empty set that all leaves share, since there are many. */
const noNodes: ReadonlySet<never> = new Set();

export class ObjectTree extends EventEmitter<ObjectTreeEvents> {
  readonly workers: ReadonlyMap<string, Worker>;
  readonly routers: ReadonlyMap<string, Router>;
  readonly transports: ReadonlyMap<string, Transport>;
  readonly rtpObservers: ReadonlyMap<string, RtpObserver>;

  readonly #nodes = new Map<ObjectTypes[ObjectType], TreeNode>();
  /** Number of times that a node was added beyond the first: two included trees may share a Worker. */
  readonly #furtherHolds = new Map<TreeNode['object'], number>();
  readonly #maps = {
    worker: new Map<string, Worker>(),
    router: new Map<string, Router>(),
    transport: new Map<string, Transport>(),
    rtpObserver: new Map<string, RtpObserver>(),
  };
  readonly #included = new Map<ObjectTree, () => void>();

  /** Returns the id that is shown here for an object, given its id in its Worker. */
  readonly publicId: (id: string) => string;
  readonly #isForMaps: boolean;

  /**
   * @param publicId returns the id that is shown here for an object, given its id in its Worker
   * @param isForMaps whether only the Maps are needed: objects that are in none of them are left out
   */
  constructor(publicId: (id: string) => string = id => id, isForMaps = false) {
    super();
    this.publicId = publicId;
    this.#isForMaps = isForMaps;
    this.workers = new ReadOnlyMap(this.#maps.worker);
    this.routers = new ReadOnlyMap(this.#maps.router);
    this.transports = new ReadOnlyMap(this.#maps.transport);
    this.rtpObservers = new ReadOnlyMap(this.#maps.rtpObserver);
  }

  get size(): number {
    return this.#nodes.size;
  }

  /** Returns all nodes, parents before their children. */
  nodes(): Iterable<TreeNode> {
    return this.#nodes.values();
  }

  /** Returns the node of an object; undefined if the object is not, or no longer, in this tree. */
  nodeOf<T extends ObjectType>(object: ObjectTypes[T]): TreeNode<T> | undefined {
    return this.#nodes.get(object) as TreeNode<T> | undefined;
  }

  /** Follows a Worker, and all objects that will be created in it, until it closes. */
  addWorker(worker: Worker, id: string): void {
    const node = this.#follow('worker', worker, id, undefined);
    worker.observer.on('newrouter', router => this.#followRouter(router, node));
    worker.observer.on('newwebrtcserver', webRtcServer =>
      this.#follow('webRtcServer', webRtcServer, webRtcServer.id, node),
    );
  }

  /**
   * Follows a Router, and all objects that will be created in it, until it closes. Its Worker is shown while it has
   * Routers here.
   */
  addRouter(router: Router, worker: Worker, workerId: string): void {
    const workerNode = this.nodeOf<'worker'>(worker) ?? this.#add('worker', workerId, worker, undefined);
    this.#followRouter(router, workerNode);
    onceClosed(router, () => workerNode.children.size === 0 && this.#closed(workerNode));
  }

  /** Shows all objects of another tree here too, from now on until {@link exclude}. */
  include(tree: ObjectTree): void {
    const add = (node: TreeNode): void => this.#hold(node);
    const remove = (node: TreeNode): void => this.#remove(node);
    const disown = (node: TreeNode): void => void this.emit('disown', node);
    tree.on('add', add).on('remove', remove).on('disown', disown);
    this.#included.set(tree, () => tree.off('add', add).off('remove', remove).off('disown', disown));
    for (const node of tree.nodes()) this.#hold(node);
  }

  exclude(tree: ObjectTree): void {
    this.#included.get(tree)?.();
    if (!this.#included.delete(tree)) return;
    for (const node of [...tree.nodes()].reverse()) this.#remove(node);
  }

  /** Tells that another controller has taken over an object. */
  disown(object: ObjectTypes[ObjectType]): void {
    const node = this.#nodes.get(object);
    if (node) this.emit('disown', node);
  }

  #followRouter(router: Router, parent: TreeNode): void {
    const node = this.#follow('router', router, router.id, parent);
    router.observer.on('newtransport', transport => this.#followTransport(transport, node));
    router.observer.on('newrtpobserver', rtpObserver => this.#followRtpObserver(rtpObserver, node));
  }

  #followTransport(transport: Transport, parent: TreeNode): void {
    const node = this.#follow('transport', transport, this.publicId(transport.id), parent);
    const { observer } = transport;
    observer.on('newproducer', producer => this.#follow('producer', producer, this.publicId(producer.id), node));
    observer.on('newconsumer', consumer => this.#follow('consumer', consumer, this.publicId(consumer.id), node));
    observer.on('newdataproducer', producer =>
      this.#follow('dataProducer', producer, this.publicId(producer.id), node),
    );
    observer.on('newdataconsumer', consumer =>
      this.#follow('dataConsumer', consumer, this.publicId(consumer.id), node),
    );
  }

  #followRtpObserver(rtpObserver: RtpObserver, parent: TreeNode): void {
    const node = this.#follow('rtpObserver', rtpObserver, this.publicId(rtpObserver.id), parent);
    const { observer } = rtpObserver;
    /** Functions that stop waiting for the end of each observed Producer. */
    const stops = new Map<string, () => void>();
    const letGo = (id: string): void => {
      stops.get(id)?.();
      if (!stops.delete(id)) return;
      node.observed.delete(id);
      this.emit('unobserve', node, id);
    };
    observer.on('addproducer', producer => {
      const { id } = producer;
      if (stops.has(id)) return;
      // The Worker lets go of a closed Producer without an event.
      const onClose = (): void => letGo(id);
      producer.observer.once('close', onClose);
      stops.set(id, () => producer.observer.off('close', onClose));
      node.observed.add(id);
      this.emit('observe', node, id);
    });
    observer.on('close', () => [...stops.keys()].forEach(letGo));
    observer.on('removeproducer', ({ id }) => letGo(id));
  }

  #follow<T extends ObjectType>(
    type: T,
    object: ObjectTypes[T],
    id: string,
    parent: TreeNode | undefined,
  ): TreeNode<T> {
    const node = this.#add(type, id, object, parent);
    onceClosed(object, () => this.#closed(node));
    // mediasoup does not notice that the parent was closed while the object was being made.
    if (parent?.object.closed) object.close();
    return node;
  }

  #add<T extends ObjectType>(type: T, id: string, object: ObjectTypes[T], parent: TreeNode | undefined): TreeNode<T> {
    const children = hasChildren.has(type) ? new Set() : noNodes;
    const node = {
      type,
      id,
      object,
      parent,
      children,
      observed: type === 'rtpObserver' ? new Set() : noNodes,
    } as unknown as TreeNode;
    parent?.children.add(node);
    this.#hold(node);
    return node as TreeNode<T>;
  }

  #hold(node: TreeNode): void {
    const map = this.#mapOf(node);
    if (this.#isForMaps && !map) return;
    if (this.#nodes.has(node.object))
      return void this.#furtherHolds.set(node.object, (this.#furtherHolds.get(node.object) ?? 0) + 1);
    this.#nodes.set(node.object, node);
    map?.set(node.id, node.object);
    this.emit('add', node);
  }

  /**
   * Removes the node of a closed object, also from its parent. Trees that include this tree only stop showing the
   * object.
   */
  #closed(node: TreeNode): void {
    node.parent?.children.delete(node);
    this.#remove(node);
  }

  #remove(node: TreeNode): void {
    const map = this.#mapOf(node);
    if (this.#isForMaps && !map) return;
    if (this.#furtherHolds.size > 0 && this.#release(node)) return;
    if (!this.#nodes.delete(node.object)) return;
    map?.delete(node.id);
    this.emit('remove', node);
  }

  /** @returns whether the node is held once more */
  #release({ object }: TreeNode): boolean {
    const further = this.#furtherHolds.get(object) ?? 0;
    if (further > 1) this.#furtherHolds.set(object, further - 1);
    else this.#furtherHolds.delete(object);
    return further > 0;
  }

  #mapOf({ type }: TreeNode): Map<string, unknown> | undefined {
    if (type === 'worker' || type === 'router' || type === 'transport' || type === 'rtpObserver')
      return this.#maps[type];
    return undefined;
  }
}
