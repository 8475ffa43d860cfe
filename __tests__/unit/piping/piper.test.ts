import { beforeEach, describe, expect, test } from '@jest/globals';
import { NotFoundError } from 'mediasoup/errors';
import type { Producer, Router } from 'mediasoup/types';
import { NodeUnavailableError } from '../../../src/errors.ts';
import { StaleLinkError, type PipeEndpoint } from '../../../src/piping/endpoint.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { LinkedRouters } from '../../helpers/routers.ts';
import { until } from '../../helpers/until.ts';

const opened = closingAfterEach();

let linked: LinkedRouters;
let source: Router;
let destination: Router;
let producer: Producer;

const stream = { producerId: 'mic' };

beforeEach(async () => {
  linked = opened(await LinkedRouters.create(2));
  [source, destination] = linked.routers as [Router, Router];
  ({ producer } = await linked.produce(source, 'mic'));
});

/** The Producer that the pipe has made. */
function piped(router = destination): Producer | undefined {
  return linked.streams.find('mic').find(place => place.router === router && place.piped)?.producer as
    Producer | undefined;
}

describe('a Piper', () => {
  test('brings a stream once, however many ask', async () => {
    await Promise.all(Array.from({ length: 20 }, () => linked.piper.bring(stream, destination)));
    expect(piped()).toMatchObject({ id: 'mic', kind: 'audio', paused: false, appData: { of: 'mic' } });
    expect([await linked.count(source), await linked.count(destination)]).toEqual([
      { producers: 1, consumers: 1, pipes: 1 },
      { producers: 1, consumers: 0, pipes: 1 },
    ]);
    expect(linked.piper.underway).toBe(0);
  });

  test('does nothing for a stream that is there, or that nobody has', async () => {
    await linked.piper.bring(stream, source);
    await linked.piper.bring({ producerId: 'nobody' }, destination);
    await linked.piper.bring({ dataProducerId: 'nobody' }, destination);
    await linked.piper.announce(stream, source);
    expect(linked.tree.transports.size).toBe(1);
  });

  test('brings several streams, and both ways, over one link', async () => {
    await linked.produce(source, 'mic 2');
    await linked.produce(destination, 'back');
    await Promise.all([
      linked.piper.bring(stream, destination),
      linked.piper.bring({ producerId: 'mic 2' }, destination),
      linked.piper.bring({ producerId: 'back' }, source),
    ]);
    expect([await linked.count(source), await linked.count(destination)]).toEqual([
      { producers: 3, consumers: 2, pipes: 1 },
      { producers: 3, consumers: 1, pipes: 1 },
    ]);
  });

  test('asks nothing more than the pipe itself over a link that it has made, and confirms each of its pipes', async () => {
    const { links } = linked;
    const asked: string[] = [];
    const confirmed: string[][] = [];
    const notingAll = (): Partial<PipeEndpoint> => ({
      openLink: request => (asked.push('openLink'), links.openLink(request)),
      offerPipe: request => (asked.push('offerPipe'), links.offerPipe(request)),
      connectLink: request => (asked.push('connectLink'), links.connectLink(request)),
      acceptPipe: request => (asked.push('acceptPipe'), links.acceptPipe(request)),
      confirmPipes: request => (confirmed.push(request.consumerIds), links.confirmPipes(request)),
    });
    for (const router of [source, destination]) linked.change(router, notingAll());
    for (const id of ['mic 2', 'mic 3']) await linked.produce(source, id);
    await linked.piper.bring(stream, destination);
    expect(asked.splice(0)).toEqual(['offerPipe', 'openLink', 'connectLink', 'acceptPipe']);
    for (const producerId of ['mic 2', 'mic 3']) await linked.piper.bring({ producerId }, destination);
    expect(asked).toEqual(['offerPipe', 'acceptPipe', 'offerPipe', 'acceptPipe']);
    await until('all three are confirmed', () => confirmed.flat().length === 3);
    const pipes = [...linked.tree.nodes()].filter(({ type }) => type === 'consumer').map(({ id }) => id);
    expect(confirmed.flat().sort()).toEqual(pipes.sort());
  });

  test('notices in time that the far end of a link that it has made is another one by now', async () => {
    await linked.produce(source, 'mic 2');
    await linked.piper.bring(stream, destination);
    const { links } = linked;
    let accepted = 0;
    linked.change(destination, {
      acceptPipe: request =>
        ++accepted === 1 ? Promise.reject(new StaleLinkError('closed meanwhile')) : links.acceptPipe(request),
    });
    await linked.piper.bring({ producerId: 'mic 2' }, destination);
    expect(accepted).toBe(2);
    expect(linked.streams.find('mic 2').some(place => place.router === destination && !place.producer.closed)).toBe(
      true,
    );
    expect([await linked.count(source), await linked.count(destination)]).toMatchObject([{ pipes: 1 }, { pipes: 1 }]);
  });

  test('announces before the stream has arrived', async () => {
    let arrive!: () => void;
    const held = new Promise<void>(resolve => (arrive = resolve));
    linked.change(destination, { acceptPipe: request => held.then(() => linked.links.acceptPipe(request)) });
    await linked.piper.announce(stream, destination);
    expect([piped(), linked.piper.underway]).toEqual([undefined, 1]);
    const brought = linked.piper.bring(stream, destination);
    arrive();
    await brought;
    expect(piped()).toBeDefined();
  });

  test('begins with what can be consumed, whatever is still to be done', async () => {
    let finish!: () => void;
    const held = new Promise<void>(resolve => (finish = resolve));
    const { links } = linked;
    linked.change(destination, {
      acceptPipe: async (request, onProduced) => {
        await links.acceptPipe(request, onProduced);
        await held;
      },
    });
    const { arrived } = await linked.piper.begin(stream, destination);
    expect([piped()?.closed, linked.piper.underway]).toEqual([false, 1]);
    finish();
    await arrived;
    expect(await linked.piper.begin(stream, destination)).toEqual({});
  });
});

describe('when one side fails, the other is withdrawn and the next attempt succeeds:', () => {
  const failure = new Error('it failed');
  const fail = (): Promise<never> => Promise.reject(failure);

  test.each(['openLink', 'acceptPipe'] as const)('%s at the destination', async name => {
    linked.change(destination, { [name]: fail });
    const asked = [linked.piper.bring(stream, destination), linked.piper.bring(stream, destination)];
    for (const result of await Promise.allSettled(asked))
      expect(result).toEqual({ status: 'rejected', reason: failure });
    expect([await linked.count(source), await linked.count(destination)]).toMatchObject([
      { producers: 1, consumers: 0 },
      { producers: 0 },
    ]);
    expect([producer.closed, linked.piper.underway]).toEqual([false, 0]);
    linked.endpoints.clear();
    await linked.piper.bring(stream, destination);
    expect(piped()?.closed).toBe(false);
  });

  test.each(['offerPipe', 'connectLink'] as const)('%s at the source', async name => {
    linked.change(source, { [name]: fail });
    await expect(linked.piper.bring(stream, destination)).rejects.toBe(failure);
    expect([await linked.count(source), await linked.count(destination)]).toMatchObject([
      { producers: 1, consumers: 0 },
      { producers: 0 },
    ]);
    linked.endpoints.clear();
    await linked.piper.bring(stream, destination);
    expect(piped()?.closed).toBe(false);
  });

  test('a stream that is announced hears of a failure too', async () => {
    linked.change(destination, { openLink: fail });
    await expect(linked.piper.announce(stream, destination)).rejects.toBe(failure);
  });

  test('a connect that mediasoup refuses', async () => {
    const { links } = linked;
    linked.change(destination, {
      acceptPipe: request => links.acceptPipe({ ...request, remote: { ...request.remote, ip: 'not an address' } }),
    });
    await expect(linked.piper.bring(stream, destination)).rejects.toThrow();
    linked.endpoints.clear();
    await linked.piper.bring(stream, destination);
    expect(piped()?.closed).toBe(false);
  });

  test('a stale link is tried again, but not for ever', async () => {
    let attempts = 0;
    const { links } = linked;
    linked.change(destination, {
      acceptPipe: request =>
        ++attempts === 1 ? Promise.reject(new StaleLinkError('stale')) : links.acceptPipe(request),
    });
    await linked.piper.bring(stream, destination);
    expect([attempts, piped()?.closed]).toEqual([2, false]);
    piped()!.close();
    attempts = 0;
    linked.change(destination, { acceptPipe: () => Promise.reject(new StaleLinkError(`stale ${++attempts}`)) });
    const failed = linked.piper.bring(stream, destination);
    // Links are nothing that an application knows.
    await expect(failed).rejects.toThrow(NotFoundError);
    await expect(failed).rejects.toThrow('stale 3');
  });

  test('a source whose machine is lost while it is asked is no source any more; one that only does not answer still is', async () => {
    const lost = new NodeUnavailableError('the connection was closed before the call was answered');
    linked.change(source, { offerPipe: () => Promise.reject(lost) });
    await expect(linked.piper.bring(stream, destination)).rejects.toThrow(lost);
    linked.change(source, {
      offerPipe: () => {
        producer.close();
        return Promise.reject(lost);
      },
    });
    // The use of the stream says that it is not found.
    await linked.piper.bring(stream, destination);
    expect(piped()).toBeUndefined();
  });

  test('a source that has just lost the stream is asked again, or another one', async () => {
    let asked = 0;
    const { links } = linked;
    linked.change(source, {
      offerPipe: request => (++asked === 1 ? Promise.reject(new NotFoundError('just gone')) : links.offerPipe(request)),
    });
    await linked.piper.bring(stream, destination);
    expect([asked, piped()?.closed]).toEqual([2, false]);
  });

  test('a stream of the same id is offered for itself, though the end of the one before has not been told yet', async () => {
    await linked.piper.bring(stream, destination);
    linked.streams.endingHere(() => producer.close());
    const next = await linked.produce(source, 'mic');
    await linked.piper.bring(stream, destination);
    await until('the end of the first one has been told', async () => (await linked.count(source)).consumers === 1);
    expect([piped()?.closed, next.producer.closed]).toEqual([false, false]);
    expect([await linked.count(source), await linked.count(destination)]).toMatchObject([
      { producers: 1, consumers: 1 },
      { producers: 1 },
    ]);
  });

  test.each(['source', 'destination'])(
    'a link whose end at the %s was closed without the other one knowing is opened anew',
    async where => {
      const network = false;
      const [there, back] = [
        { routerId: source.id, remoteRouterId: destination.id, link: 'media' as const },
        { routerId: destination.id, remoteRouterId: source.id, link: 'media' as const },
      ];
      const [near, far] = [
        await linked.links.openLink({ ...there, network }),
        await linked.links.openLink({ ...back, network }),
      ];
      await Promise.all([
        linked.links.connectLink({ ...there, remote: far }),
        linked.links.connectLink({ ...back, remote: near }),
      ]);
      linked.tree.transports.get((where === 'source' ? near : far).transportId)!.close();
      let accepted = 0;
      linked.change(destination, { acceptPipe: request => (++accepted, linked.links.acceptPipe(request)) });
      await linked.piper.bring(stream, destination);
      // Nobody has consumed what then had to be closed.
      expect([piped()?.closed, accepted]).toEqual([false, 1]);
      expect([await linked.count(source), await linked.count(destination)]).toMatchObject([{ pipes: 1 }, { pipes: 1 }]);
    },
  );

  test('one end of the link that closes takes the other along, and the next stream opens another', async () => {
    await linked.piper.bring(stream, destination);
    const pipes = [...linked.tree.transports.values()].filter(({ type }) => type === 'pipe');
    pipes[1]!.close();
    expect(pipes.every(({ closed }) => closed)).toBe(true);
    expect([piped(), producer.closed]).toEqual([undefined, false]);
    await linked.piper.bring(stream, destination);
    expect(piped()?.closed).toBe(false);
  });
});

describe('while the pipe is being made, the Producer', () => {
  /** Does something at a certain moment of the next pipe. */
  function when(name: 'openLink' | 'acceptPipe', moment: 'before' | 'after', act: () => unknown): void {
    const { links } = linked;
    const real: (request: never) => Promise<unknown> =
      name === 'openLink' ? request => links.openLink(request) : request => links.acceptPipe(request);
    linked.change(destination, {
      [name]: async (request: never) => {
        if (moment === 'before') await act();
        const result = await real(request);
        if (moment === 'after') await act();
        return result;
      },
    });
  }

  const moments = [
    ['openLink', 'before'],
    ['openLink', 'after'],
    ['acceptPipe', 'before'],
    ['acceptPipe', 'after'],
  ] as const;

  test.each(moments)('closes (%s, %s): nothing is left of it', async (name, moment) => {
    when(name, moment, () => producer.close());
    await linked.piper.bring(stream, destination).catch(() => undefined);
    // The pipe hears of it from its Worker, which may be a moment later.
    await until('nothing has the stream, nor what was left of it', () => linked.streams.isGone('mic'));
    expect([await linked.count(source), await linked.count(destination)]).toMatchObject([
      { producers: 0, consumers: 0 },
      { producers: 0, consumers: 0 },
    ]);
  });

  test.each(moments)('pauses (%s, %s): so does what was piped', async (name, moment) => {
    when(name, moment, () => producer.pause());
    await linked.piper.bring(stream, destination);
    await until('it is paused', () => piped()!.paused);
    await producer.resume();
    await until('it is resumed', () => !piped()!.paused);
  });

  test.each(moments)('resumes (%s, %s): so does what was piped', async (name, moment) => {
    await producer.pause();
    when(name, moment, () => producer.resume());
    await linked.piper.bring(stream, destination);
    await until('it is resumed', () => !piped()!.paused);
  });

  test.each(['source', 'destination'])('loses the %s Router: the call settles and nothing is left', async which => {
    when('acceptPipe', 'before', () => (which === 'source' ? source : destination).close());
    await linked.piper.bring(stream, destination).catch(() => undefined);
    expect(linked.piper.underway).toBe(0);
    expect(linked.tree.routers.size).toBe(1);
    expect(piped()).toBeUndefined();
  });
});

describe('a pipe from outside', () => {
  test('is waited for by those who want the stream', async () => {
    let arrive!: () => void;
    const accepted = linked.piper.accept(
      { producerId: 'far' },
      destination.id,
      () => new Promise<void>(resolve => (arrive = resolve)),
    );
    let brought = false;
    const bringing = linked.piper.bring({ producerId: 'far' }, destination).then(() => (brought = true));
    await linked.piper.announce({ producerId: 'far' }, destination);
    expect([brought, linked.piper.underway]).toEqual([false, 1]);
    arrive();
    await Promise.all([accepted, bringing]);
    expect(linked.piper.underway).toBe(0);
  });

  test('can be used once it is produced, and tells what becomes of it; of links that end nobody hears', async () => {
    for (const [failure, expected] of [
      [new Error('refused'), Error],
      [new StaleLinkError('stale'), NotFoundError],
    ] as const) {
      let fail!: (error: Error) => void;
      const arriving = new Promise<void>((_, reject) => (fail = reject));
      let produced!: () => void;
      const accepted = linked.piper.accept(
        { producerId: 'far' },
        destination.id,
        onProduced => ((produced = onProduced), arriving),
      );
      const beginning = linked.piper.begin({ producerId: 'far' }, destination);
      produced();
      const { arrived } = await beginning;
      fail(failure);
      await expect(arrived).rejects.toThrow(expected);
      await expect(accepted).rejects.toBe(failure);
    }
  });

  test('runs once, not at all if the stream is there, and is forgotten if it fails', async () => {
    let runs = 0;
    const arrive = async (): Promise<void> => void ++runs;
    await Promise.all([1, 2, 3].map(() => linked.piper.accept({ producerId: 'far' }, destination.id, arrive)));
    expect(runs).toBe(1);
    await linked.piper.accept(stream, destination.id, arrive);
    expect(runs).toBe(1);
    const failing = linked.piper.accept({ producerId: 'bad' }, destination.id, () =>
      Promise.reject(new Error('refused')),
    );
    await expect(Promise.all([failing, linked.piper.bring({ producerId: 'bad' }, destination)])).rejects.toThrow(
      'refused',
    );
    await linked.piper.accept({ producerId: 'bad' }, destination.id, arrive);
    expect(runs).toBe(2);
  });
});
