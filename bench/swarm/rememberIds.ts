/**
 * Lets dht-rpc remember the ids of peers, which are hashes of their addresses: in a real swarm each peer computes and keeps those that it
 * meets, and in a simulation they all share a process.
 */
import { createRequire } from 'node:module';

interface PeerModule {
  id: (host: string, port: number) => Buffer;
}

export function rememberIds(): void {
  const module = createRequire(import.meta.url)('dht-rpc/lib/peer') as PeerModule;
  const { id } = module;
  const known = new Map<string, Buffer>();
  module.id = (host, port) => {
    const name = `${host}:${port}`;
    let found = known.get(name);
    if (!found) known.set(name, (found = id(host, port)));
    return found;
  };
}
