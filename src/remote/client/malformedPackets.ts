/** socket.io's client trusts its server: here no packet of it ends this process. */
import type { Manager } from 'socket.io-client';
import { logger } from '../../core/logger.ts';

const log = logger('client');

/** Of socket.io's protocol. */
const [EVENT, CONNECT_ERROR, BINARY_EVENT] = [2, 4, 5];

/** To be called with each packet before socket.io's client deals with it: of an event without a name, or an error without a text, it throws. */
export function replaceMalformed(packet: { type: number; data?: unknown }): void {
  const { type, data } = packet;
  if ((type === EVENT || type === BINARY_EVENT) && !(Array.isArray(data) && typeof data[0] === 'string'))
    packet.data = ['malformed'];
  if (type !== CONNECT_ERROR) return;
  const hasText = typeof data === 'object' && data !== null && 'message' in data && typeof data.message === 'string';
  if (!hasText) packet.data = { message: 'no reason' };
}

/** Members of Engine.IO's WebSocket, and of its connection, that its types keep to its own classes. */
interface Transport {
  onData(data: unknown): void;
  close(): void;
}
interface Engine {
  readonly transport: Transport;
  readonly readyState: string;
  onHandshake(handshake: unknown): void;
}

/** Beyond this a timer fires at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** Engine.IO's client throws where a server does not keep to its protocol, or believes it: from now on it closes the connection instead. */
export function closeForMalformedPackets(manager: Manager): void {
  const open = manager.open.bind(manager);
  manager.open = onOpen => {
    open(onOpen);
    const engine = manager.engine as unknown as Engine;
    const { transport } = engine;
    const onHandshake = engine.onHandshake.bind(engine);
    engine.onHandshake = handshake => {
      if (engine.readyState !== 'opening' || !isHandshake(handshake)) throw new TypeError('a malformed handshake');
      onHandshake(handshake);
    };
    const onData = transport.onData.bind(transport);
    transport.onData = data => {
      try {
        onData(data);
      } catch (error) {
        log('a malformed packet: %o', error);
        transport.close();
      }
    };
    return manager;
  };
}

/** Its times become a timer, by which the client knows that the server is gone. */
function isHandshake(handshake: unknown): boolean {
  const { sid, upgrades, pingInterval, pingTimeout } = (handshake ?? {}) as Record<string, unknown>;
  if (typeof sid !== 'string' || !Array.isArray(upgrades)) return false;
  return isDuration(pingInterval) && isDuration(pingTimeout) && pingInterval + pingTimeout <= MAX_DELAY_MS;
}

function isDuration(value: unknown): value is number {
  return typeof value === 'number' && value > 0;
}
