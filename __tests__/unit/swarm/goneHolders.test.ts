/** A room is in the DHT for a while after a peer that held it has gone without a word: others go on without that peer. */
import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { bindUdp, type BindSockets } from '../../../src/swarm/dht/sockets.ts';
import { SwarmDirectory } from '../../../src/swarm/directory/swarmDirectory.ts';
import { Identity } from '../../../src/swarm/identity.ts';
import { Trust } from '../../../src/swarm/trust.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { host, shortTiming } from '../../helpers/swarmPeers.ts';
import { until } from '../../helpers/until.ts';

const opened = closingAfterEach();
const trust = new Trust({ key: randomBytes(32), trusted: undefined, revoked: [] });
const url = 'wss://media.example:4443';

/** Sockets from which nothing comes as long as the peer is mute. */
class Mouth {
  isMute = false;

  readonly bind: BindSockets = async (...given) => {
    const sockets = await bindUdp(...given);
    const createSocket = (): ReturnType<typeof sockets.createSocket> => {
      const socket = sockets.createSocket();
      const trySend = socket.trySend.bind(socket);
      return Object.assign(socket, {
        trySend: (...datagram: Parameters<typeof trySend>) => void (this.isMute || trySend(...datagram)),
      });
    };
    return { ...sockets, createSocket };
  };
}

async function open(first?: SwarmDirectory, bind: BindSockets = bindUdp): Promise<SwarmDirectory> {
  const port = first && (await first.opened()).address.port;
  const bootstrap = port === undefined ? [] : [`${host}:${port}`];
  const identity = new Identity();
  const options = { bootstrap, trust, host, listenHost: host, port: 0, identity, bind };
  return opened(new SwarmDirectory(options, shortTiming));
}

test('a holder that has gone without a word is left out by those who find its record, until it is heard', async () => {
  const first = await open();
  const mouth = new Mouth();
  const holder = await open(first, mouth.bind);
  holder.register({ url, serverId: 'server', load: 0, draining: false }).hold('room');
  const early = first.watch('room');
  await until('its record is in the DHT', () => early.urls.has(url));

  mouth.isMute = true;
  const late = await open(first);
  const heard: string[] = [];
  late.on('node', record => heard.push(record.url)).on('nodegone', gone => heard.push(`${gone} gone`));
  const watch = late.watch('room');
  await until('the holder is tried in vain', () => heard.includes(`${url} gone`));
  expect(watch.urls.has(url)).toBe(true);
  expect(late.nodes.has(url)).toBe(false);
  // Another room of the same peer brings no further attempts.
  const again = late.watch('room');
  await until('it is found there too', () => again.urls.has(url));
  expect(late.nodes.has(url)).toBe(false);

  mouth.isMute = false;
  await until('it is back', () => late.nodes.has(url));
});
