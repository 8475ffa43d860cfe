import { beforeEach, describe, expect, test } from '@jest/globals';
import * as mediasoup from 'mediasoup';
import type { Producer, Router } from 'mediasoup/types';
import { Mafalda, type MafaldaOptions } from '../../../../src/index.ts';
import { IdlePipes } from '../../../../src/piping/links/idlePipes.ts';
import { closingAfterEach } from '../../../helpers/cleanup.ts';
import { LinkedRouters } from '../../../helpers/routers.ts';
import { until } from '../../../helpers/until.ts';

const opened = closingAfterEach();

describe('the option idlePipeTimeout', () => {
  test.each([-1, Infinity, NaN, '100', null])('%p is refused', idlePipeTimeout => {
    expect(() => new Mafalda(mediasoup, { idlePipeTimeout } as unknown as MafaldaOptions)).toThrow(
      /idlePipeTimeout must be a number of milliseconds/,
    );
  });

  test('may be 0', () => {
    opened(new Mafalda(mediasoup, { idlePipeTimeout: 0 }));
  });
});

describe('idle pipes', () => {
  let linked: LinkedRouters;
  let source: Router;
  let destination: Router;
  let idlePipes: IdlePipes;

  beforeEach(async () => {
    linked = opened(await LinkedRouters.create(2));
    [source, destination] = linked.routers as [Router, Router];
    idlePipes = new IdlePipes(linked.tree, 10);
    await linked.produce(source, 'mic');
  });

  const pipes = (): number => [...linked.tree.transports.values()].filter(({ type }) => type === 'pipe').length;
  const piped = (): Producer | undefined =>
    linked.streams.find('mic').find(place => place.piped)?.producer as Producer | undefined;

  test('close with their last user, and then their links', async () => {
    await linked.piper.bring({ producerId: 'mic' }, destination);
    const transport = await destination.createDirectTransport();
    const consumer = await transport.consume({ producerId: 'mic', rtpCapabilities: destination.rtpCapabilities });
    expect([pipes(), piped()?.closed]).toEqual([2, false]);
    consumer.close();
    await until('the pipe has gone, and the link', () => pipes() === 0);
  });

  test('do not close as long as somebody is on the way to them', async () => {
    const release = idlePipes.hold(destination.id, 'mic');
    await linked.piper.bring({ producerId: 'mic' }, destination);
    const copy = piped()!;
    const others = Array.from({ length: 3 }, () => idlePipes.hold(destination.id, 'mic'));
    for (const end of others) end();
    // Another pipe, which nobody is on the way to, comes and goes meanwhile.
    await linked.produce(source, 'camera');
    await linked.piper.bring({ producerId: 'camera' }, destination);
    idlePipes.hold(destination.id, 'camera')();
    await until('the other one has closed', () => linked.streams.find('camera').length === 1);
    expect(copy.closed).toBe(false);
    release();
    await until('it has closed', () => copy.closed);
  });

  test('of observers: a Producer that closes is let go', async () => {
    await linked.piper.bring({ producerId: 'mic' }, destination);
    const observer = await destination.createAudioLevelObserver();
    await observer.addProducer({ producerId: 'mic' });
    const node = linked.tree.nodeOf<'rtpObserver'>(observer)!;
    expect([...node.observed]).toEqual(['mic']);
    piped()!.close();
    expect([...node.observed]).toEqual([]);
    await linked.piper.bring({ producerId: 'mic' }, destination);
    idlePipes.hold(destination.id, 'mic')();
    await until('what nobody observes any more has gone', () => piped() === undefined);
  });
});
