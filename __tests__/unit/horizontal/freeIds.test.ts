/** An id is free once its Producer is closed, also while a node that has the stream, or a copy of it, can't be told. */
import { expect, test } from '@jest/globals';
import { once } from 'node:events';
import type { Consumer, DataConsumer, DataProducer, Producer, Transport } from 'mediasoup/types';
import { MafaldaHorizontal } from '../../../src/index.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { mediaCodecs, opus } from '../../helpers/rtp.ts';
import { Served } from '../../helpers/serve.ts';
import { ServerProcess } from '../../helpers/serverProcess.ts';

const opened = closingAfterEach();
const id = 'microphone';

function produce(kind: string, transport: Transport): Promise<Producer | DataProducer> {
  return kind === 'data'
    ? transport.produceData({ id, label: 'chat' })
    : transport.produce({ id, kind: 'audio', rtpParameters: opus(1) });
}

test.concurrent.each([
  ['audio', 'a copy', 'SIGSTOP'],
  ['data', 'a copy', 'SIGSTOP'],
  ['audio', 'the stream itself', 'SIGSTOP'],
  ['audio', 'a copy', 'SIGKILL'],
  ['audio', 'the stream itself', 'SIGKILL'],
] as const)('of %s, where %s is on a node that gets %s', async (kind, what, signal) => {
  const [troubled, sound] = [opened(await ServerProcess.create()), opened(await Served.create())];
  const mafalda = opened(new MafaldaHorizontal([troubled.url, sound.url], { nodeTimeout: 10_000 }));
  await once(mafalda, 'connected');
  const room = mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs } });
  const rtpCapabilities = await room.getRtpCapabilities();
  const consume = (transport: Transport): Promise<Consumer | DataConsumer> =>
    kind === 'data'
      ? transport.consumeData({ dataProducerId: id })
      : transport.consume({ producerId: id, rtpCapabilities });
  const [there, here] = await Promise.all(
    [troubled.url, sound.url].map(node => room.createDirectTransport({ placement: { node } })),
  );
  const stream = await produce(kind, what === 'a copy' ? here! : there!);
  await consume(what === 'a copy' ? there! : here!);

  troubled.signal(signal);
  await expect(produce(kind, here!)).rejects.toThrow(TypeError);
  stream.close();
  const next = await produce(kind, here!);
  expect([next.id, next.closed]).toEqual([id, false]);
  if (signal === 'SIGKILL') return;
  troubled.signal('SIGCONT');
  const consumer = await consume(there!);
  // Asked after all that the node had to say of the one before.
  await there!.dump();
  expect([next.closed, consumer.closed]).toEqual([false, false]);
});
