/**
 * Guards against malformed packets: socket.io's client trusts its server, and would end this process by an exception.
 */
import type { Manager } from 'socket.io-client';
import { logger } from '../../core/logger.ts';

const log = logger('client');

/** Packet types of socket.io's protocol. */
const [EVENT, CONNECT_ERROR, BINARY_EVENT] = [2, 4, 5];

/**
 * Replaces an event without a name, and an error without a text, for which socket.io's client would throw. To be called
 * with each packet before socket.io's client processes it.
 */
export function replaceMalformed(packet: { type: number; data?: unknown }): void {
  const { type, data } = packet;
  if ((type === EVENT || type === BINARY_EVENT) && !(Array.isArray(data) && typeof data[0] === 'string'))
    packet.data = ['malformed'];
  if (type !== CONNECT_ERROR) return;
  const hasText = typeof data === 'object' && data !== null && 'message' in data && typeof data.message === 'string';
  if (!hasText) packet.data = { message: 'no reason' };
}

/** Members of Engine.IO's WebSocket and connection that its types declare as protected. */
interface Transport {
  onData(data: unknown): void;
  close(): void;
}
interface Engine {
  readonly transport: Transport;
  readonly readyState: string;
  onHandshake(handshake: unknown): void;
}

/** Longest delay of a timer, in ms; with a longer delay it fires at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/**
 * Makes Engine.IO's client close the connection for malformed data, for which it would throw, or which it would accept.
 */
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
        log.warn('a malformed packet: %o', error);
        transport.close();
      }
    };
    return manager;
  };
}

/** Checks the handshake, whose times become the timer by which the client notices that the server is gone. */
function isHandshake(handshake: unknown): boolean {
  const { sid, upgrades, pingInterval, pingTimeout } = (handshake ?? {}) as Record<string, unknown>;
  if (typeof sid !== 'string' || !Array.isArray(upgrades)) return false;
  return isDuration(pingInterval) && isDuration(pingTimeout) && pingInterval + pingTimeout <= MAX_DELAY_MS;
}

function isDuration(value: unknown): value is number {
  return typeof value === 'number' && value > 0;
}
