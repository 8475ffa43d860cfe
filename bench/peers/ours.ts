/** This library, and the server by hand: the subjects of `bench/remote`. */
import { once } from 'node:events';
import { io } from 'socket.io-client';
import { packageVersion } from '../../src/core/packageVersion.ts';
import { openByHand } from '../remote/byHandClient.ts';
import { openOurs as openSubject } from '../remote/ours.ts';
import { RemoteMafaldaClient } from '../remote/product.ts';
import { startNode, type NodeProcess } from '../remote/startNode.ts';
import type { Peer } from './peer.ts';

export async function openOurs(): Promise<Peer> {
  const nodes = await startNodes('ours');
  const subject = await openSubject(nodes.map(({ url }) => url));
  const client = new RemoteMafaldaClient(nodes[0]!.url);
  await once(client, 'connected');
  return {
    ...subject,
    name: 'mafalda-horizontal',
    version: packageVersion,
    pids: pidsOf(nodes),
    loadReport: () => client.getResourceUsages(),
    async close() {
      await Promise.all([subject.close(), client.close()]);
      end(nodes);
    },
  };
}

export async function openHandWritten(): Promise<Peer> {
  const nodes = await startNodes('by hand');
  const subject = await openByHand(nodes.map(({ url }) => url));
  const socket = io(nodes[0]!.url, { transports: ['websocket'] });
  await new Promise<void>(resolve => socket.once('connect', resolve));
  return {
    ...subject,
    version: '',
    pids: pidsOf(nodes),
    loadReport: () => socket.emitWithAck('usage') as Promise<unknown>,
    async close() {
      socket.disconnect();
      await subject.close();
      end(nodes);
    },
  };
}

function startNodes(kind: 'ours' | 'by hand'): Promise<NodeProcess[]> {
  return Promise.all([startNode(kind), startNode(kind)]);
}

function pidsOf(nodes: readonly NodeProcess[]): number[] {
  return nodes.map(({ child }) => child.pid!);
}

function end(nodes: readonly NodeProcess[]): void {
  for (const { child } of nodes) child.disconnect();
}
