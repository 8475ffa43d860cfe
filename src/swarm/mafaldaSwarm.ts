/**
 * A cluster of peers without a centre: a MafaldaHorizontal, and the server and directory that make this machine a
 * peer.
 */
import type { MafaldaApi } from '../api/types.ts';
import { logger } from '../core/logger.ts';
import { logRejections } from '../core/logRejections.ts';
import type { NodeRecord } from '../horizontal/directory/directory.ts';
import { MafaldaHorizontal } from '../horizontal/index.ts';
import type { PeerRole } from '../horizontal/peerRole.ts';
import { RemoteMafaldaServer } from '../remote/index.ts';
import { OtherPeers } from './directory/otherPeers.ts';
import { SwarmDirectory } from './directory/swarmDirectory.ts';
import type { SwarmTiming } from './directory/timing.ts';
import { Identity } from './identity.ts';
import {
  isSecure,
  keysOf,
  resolveSwarmOptions,
  type MafaldaSwarmEvents,
  type MafaldaSwarmOptions,
} from './swarmOptions.ts';
import { makeToken, readToken } from './token.ts';

const log = logger('swarm');

/**
 * A federation of peers without a centre. Each peer is a process with its own Mafalda and its own application; a room
 * spans the peers whose applications use it, which find each other in a DHT. Media runs straight between the peers.
 *
 * ```ts
 * import * as mediasoup from 'mediasoup';
 * import { Mafalda } from 'mafalda-horizontal';
 * import { MafaldaSwarm } from 'mafalda-horizontal/swarm';
 *
 * const own = new Mafalda(mediasoup, { announcedAddress: 'media-2.example' });
 * const swarm = new MafaldaSwarm(own, { bootstrap: ['media-1.example:4444'], key, port: 4444, url, cert, certKey });
 * await once(swarm, 'connected');
 * const room = swarm.createMafaldaRouter({ id: 'room', routerOptions: { mediaCodecs } });
 * const transport = await room.createWebRtcTransport();
 * const consumer = await transport.consume({ producerId, rtpCapabilities }); // wherever the Producer is
 * ```
 */
export class MafaldaSwarm extends MafaldaHorizontal<MafaldaSwarmEvents> {
  /** Public key of this peer, by which others know it. */
  readonly id: string;
  /** URL by which other peers reach this peer. */
  readonly url: string;
  readonly #directory: SwarmDirectory;
  readonly #others: OtherPeers;
  readonly #server: RemoteMafaldaServer;
  readonly #peers = new Map<string, NodeRecord>();
  readonly #listening: Promise<void>;
  readonly #fanOut: number;

  /**
   * @param mafalda of this process, which stays the caller's to close
   * @param timing times that differ from the defaults, for tests
   * @throws {TypeError} for an option that can't be used
   */
  constructor(mafalda: MafaldaApi, options: MafaldaSwarmOptions, timing: Partial<SwarmTiming> = {}) {
    const resolved = resolveSwarmOptions(options);
    const { bootstrap, port, url, host, cert, certKey, server, trusted, revoked, region, labels, maxLoad } = resolved;
    const { strategy, watermarkNode, fanOut, nodeTimeout, callTimeout, limits, ca } = resolved;
    const keys = keysOf(options);
    const identity = new Identity(resolved.identity);
    const { hostname, port: urlPort } = new URL(url);
    const directory = new SwarmDirectory({ bootstrap, keys, host: hostname, listenHost: host, port, identity }, timing);
    const listening = server
      ? { server }
      : { host, port: Number(urlPort || (isSecure(url) ? 443 : 80)), cert, key: certKey };
    const isWelcome = (token: string | undefined): boolean => {
      const peer = readToken(token, keys, url);
      return peer !== undefined && (trusted?.includes(peer) ?? true) && !revoked.includes(peer);
    };
    let served: RemoteMafaldaServer;
    try {
      served = new RemoteMafaldaServer(mafalda, {
        ...listening,
        auth: isWelcome,
        region,
        labels,
        maxLoad,
        fanOut,
        watermarkFanOut: watermarkNode,
        directory,
        publicUrl: url,
      });
    } catch (error) {
      // No caller has a reference to close it by.
      void directory.close();
      throw error;
    }
    const listens = served.listen();
    const mayListen = listens.catch(error => log.warn('%o', error));
    const others = new OtherPeers(directory, url, mayListen);
    super([mafalda], {
      strategy,
      watermarkNode,
      nodeTimeout,
      callTimeout,
      limits,
      ca,
      directory: others,
      token: to => makeToken(identity, keys[0]!, to),
    });
    logRejections(this, ['address']);
    this.id = identity.id;
    this.url = url;
    this.#fanOut = fanOut;
    this.#directory = directory;
    this.#others = others;
    this.#server = served;
    this.#listening = mayListen;
    for (const failing of [listens, directory.opened()]) failing.catch((error: Error) => this.reportError(error));
    others.on('node', record => this.#onPeer(record));
    others.on('nodegone', gone => this.#onPeerGone(gone));
  }

  /** Other peers that are known at present, a small number of them in a large swarm, with what they say of themselves. */
  get peers(): Iterable<NodeRecord> {
    return this.#peers.values();
  }

  /** Address of this peer in the DHT, for the `bootstrap` of others. @throws {Error} if its port can't be had */
  async address(): Promise<string> {
    const { host, port } = (await this.#directory.opened()).address;
    return `${host}:${port}`;
  }

  protected override get peer(): PeerRole {
    return { url: this.url, fanOut: this.#fanOut };
  }

  protected override async release(): Promise<void> {
    await this.#listening;
    await super.release();
    await this.#server.close();
    await this.#others.close();
  }

  #onPeer(record: NodeRecord): void {
    const isNew = !this.#peers.has(record.url);
    this.#peers.set(record.url, record);
    if (isNew) this.safeEmit('peerjoined', record);
  }

  #onPeerGone(url: string): void {
    const record = this.#peers.get(url);
    if (record && this.#peers.delete(url)) this.safeEmit('peerleft', record);
  }
}
