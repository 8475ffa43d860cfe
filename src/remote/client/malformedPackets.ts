/** socket.io's client trusts its server: here no packet of it ends this process. */
import type { Manager } from 'socket.io-client';
import { logger } from '../../shared/logger.ts';

const log = logger('client');

/** Of socket.io's protocol. */
const [EVENT, CONNECT_ERROR, BINARY_EVENT] = [2, 4, 5];

/** To be called with each packet before socket.io's client deals with it: of an event without a name, or an error without a text, it throws. */
export function replaceMalformed(packet: { type: number; data?: unknown }): void {
  const { type, data } = packet;
  if ((type === EVENT || type === BINARY_EVENT) && !(Array.isArray(data) && typeof data[0] === 'string')) packet.data = ['malformed'];
  if (type !== CONNECT_ERROR) return;
  const hasText = typeof data === 'object' && data !== null && 'message' in data && typeof data.message === 'string';
  if (!hasText) packet.data = { message: 'no reason' };
}

/** What is used of Engine.IO's WebSocket, which its types keep to its own classes. */
interface Transport {
  onData(data: unknown): void;
  close(): void;
}

/** Engine.IO's client throws where a server does not keep to its protocol: from now on it closes the connection instead. */
export function closeForMalformedPackets(manager: Manager): void {
  const open = manager.open.bind(manager);
  manager.open = onOpen => {
    open(onOpen);
    const transport = manager.engine.transport as unknown as Transport;
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
