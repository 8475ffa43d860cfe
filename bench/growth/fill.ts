import type { DirectTransport } from 'mediasoup/types';

const PER_TRANSPORT = 500;
const AT_ONCE = 100;

/** Makes DataProducers, 500 in each Transport. */
export async function fill(
  where: { createDirectTransport(): Promise<DirectTransport> },
  objects: number,
): Promise<void> {
  let transport: DirectTransport | undefined;
  for (let made = 0; made < objects; made += AT_ONCE) {
    if (!transport || made % PER_TRANSPORT === 0) transport = await where.createDirectTransport();
    const target = transport;
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, objects - made) }, () => target.produceData()));
  }
}
