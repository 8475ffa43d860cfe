/**
 * A cluster of peers without a centre: a MafaldaHorizontal, and the server and directory that make this machine a
 * peer.
 */
import { resolveOptions } from '../api/optionsSchema.ts';
import type { MafaldaApi } from '../api/types.ts';
import { logger } from '../core/logger.ts';
import { logRejections } from '../core/logRejections.ts';
import type { NodeRecord } from '../horizontal/directory/directory.ts';
import { MafaldaHorizontal } from '../horizontal/index.ts';
import type { PeerRole } from '../horizontal/peerRole.ts';
import { RemoteMafaldaServer, type ServerCounts, type ServerDrainOptions } from '../remote/index.ts';
import { serverDrainOptions } from '../remote/server/serverOptions.ts';
import { OtherPeers } from './directory/otherPeers.ts';
import { SwarmDirectory } from './directory/swarmDirectory.ts';
import type { SwarmTiming } from './directory/timing.ts';
import { fingerprintOf } from './fingerprint.ts';
import { Identity } from './identity.ts';
import {
  isSecure,
  resolveSwarmOptions,
  resolveTrustOptions,
  type MafaldaSwarmEvents,
  type MafaldaSwarmOptions,
  type SwarmPeer,
  type SwarmTrustOptions,
} from './swarmOptions.ts';
import { judgeToken, makeToken, readToken } from './token.ts';
import { Trust } from './trust.ts';

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
  /**
   * Server by which other peers use this machine: its numbers, what peers have left behind that are gone, and its
   * draining. It closes with this MafaldaSwarm.
   */
  readonly server: RemoteMafaldaServer;
  readonly #own: MafaldaApi;
  readonly #trust: Trust;
  readonly #directory: SwarmDirectory;
  readonly #others: OtherPeers;
  readonly #peers = new Map<string, SwarmPeer>();
  readonly #listening: Promise<void>;
  readonly #fanOut: number;

  /**
   * @param mafalda of this process, which stays the caller's to close
   * @param timing times that differ from the defaults, for tests
   * @throws {TypeError} for an option that can't be used
   */
  constructor(mafalda: MafaldaApi, options: MafaldaSwarmOptions, timing: Partial<SwarmTiming> = {}) {
    const resolved = resolveSwarmOptions(options);
    const { bootstrap, port, url, host, cert, certKey, server, region, labels, maxLoad, peersFile } = resolved;
    const { strategy, watermarkNode, fanOut, nodeTimeout, callTimeout, limits, ca, sessionTimeout } = resolved;
    const trust = new Trust(resolved);
    const identity = new Identity(resolved.identity);
    const { hostname, port: urlPort } = new URL(url);
    const fingerprint = cert === undefined ? undefined : fingerprintOf(cert);
    const directory = new SwarmDirectory(
      { bootstrap, trust, peersFile, host: hostname, listenHost: host, port, identity, fingerprint },
      timing,
    );
    const listening = server
      ? { server }
      : { host, port: Number(urlPort || (isSecure(url) ? 443 : 80)), cert, key: certKey };
    const isWelcome = (token: string | undefined, name: string | undefined): boolean => {
      const peer = readToken(token, trust.keys, url);
      // A peer ends what another one has left only if it is that one, come back.
      return peer !== undefined && trust.trusts(peer) && (name === undefined || name === peer);
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
        sessionTimeout,
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
      token: to => makeToken(identity, trust.keys[0]!, to),
      name: identity.id,
      fingerprints: to => {
        const pinned = directory.fingerprintOf(to);
        return pinned === undefined ? undefined : [pinned];
      },
    });
    logRejections(this, ['address', 'leave', 'updateTrust']);
    this.id = identity.id;
    this.url = url;
    this.#fanOut = fanOut;
    this.#own = mafalda;
    this.#trust = trust;
    this.#directory = directory;
    this.#others = others;
    this.server = served;
    this.#listening = mayListen;
    for (const failing of [listens, directory.opened()]) failing.catch((error: Error) => this.reportError(error));
    others.on('node', record => this.#onPeer(record));
    others.on('nodegone', gone => this.#onPeerGone(gone));
  }

  /** Other peers that are known at present, a small number of them in a large swarm, with what they say of themselves. */
  get peers(): Iterable<SwarmPeer> {
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

  /**
   * Replaces keys of the group, or the lists of peers, while the peer runs. Of a peer that is not trusted any more, all
   * that it has made here closes, and all that this peer has made there. A peer that was let in by a key that is gone
   * has to show the new key, and loses nothing if it can.
   *
   * ```ts
   * await swarm.updateTrust({ revoked: [peerId] });
   * await swarm.updateTrust({ key: [next, old] });
   * ```
   *
   * @throws {TypeError} for options that can't be used, and changes nothing then
   */
  async updateTrust(options: SwarmTrustOptions): Promise<void> {
    this.#trust.update(resolveTrustOptions(options));
    await this.#directory.applyTrust();
    for (const { url } of [...this] as { url?: string }[]) {
      const peerId = url === undefined ? undefined : this.#directory.peerIdOf(url);
      if (url !== undefined && peerId !== undefined && !this.#trust.trusts(peerId)) this.expel(url);
    }
    await this.server.review(token => judgeToken(token ?? '', this.#trust, this.url));
  }

  /**
   * Leaves the swarm in order. From now on nothing new is placed here, neither by others nor by this application; what is
   * here stays until its makers close it, or until the deadline. Then the swarm closes.
   * @returns what others have had here at the end
   * @throws {TypeError} if `deadline` is not a duration
   */
  async leave(options: ServerDrainOptions = {}): Promise<ServerCounts> {
    resolveOptions('leave()', serverDrainOptions, options);
    await this.drain(this.#own, { deadline: 0 });
    const left = await this.server.drain(options);
    await this.close();
    return left;
  }

  protected override async release(): Promise<void> {
    await this.#listening;
    await super.release();
    await this.server.close();
    await this.#others.close();
  }

  #onPeer(record: NodeRecord): void {
    const isNew = !this.#peers.has(record.url);
    const peer = { ...record, peerId: this.#directory.peerIdOf(record.url)! };
    this.#peers.set(record.url, peer);
    if (isNew) this.safeEmit('peerjoined', peer);
  }

  #onPeerGone(url: string): void {
    const record = this.#peers.get(url);
    if (record && this.#peers.delete(url)) this.safeEmit('peerleft', record);
  }
}
