/**
 * Two controllers in one MafaldaRouter: nothing of one that has left stays, nothing of the other one goes with it, and what one has closed is closed in the end,
 * whatever happens to its connections.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { MafaldaHorizontal, type MafaldaApi } from '../../src/index.ts';
import type { PipeableMafaldaRouter } from '../../src/base/pipeableMafaldaRouter.ts';
import { closingAfterEach } from '../helpers/cleanup.ts';
import { CutProxy } from '../helpers/cutProxy.ts';
import { mediaCodecs } from '../helpers/rtp.ts';
import type { ServerOptions, SharedSystem } from '../helpers/systems.ts';
import { until } from '../helpers/until.ts';

const SESSION_TIMEOUT_MS = 600;
/** Enough for several on each server. */
const COUNT = 16;

export function describeOwnership(name: string, createSystem: (options: ServerOptions) => Promise<SharedSystem>): void {
  describe(`${name}: ownership`, () => {
    const opened = closingAfterEach();
    let system: SharedSystem;
    let proxies: CutProxy[];
    /** The controller that leaves, or is cut off, and its name. */
    let one: MafaldaApi;
    let number = 0;
    const nameOfOne = (): string => `application ${number}`;
    /** The name under which the servers know it. */
    const knownName = (): string => system.nameOf?.(nameOfOne()) ?? nameOfOne();
    /** The MafaldaRouter, as this controller sees it, and as the other one does. */
    let room: PipeableMafaldaRouter;
    let shared: PipeableMafaldaRouter;
    /** Ids of what the other controller has made. */
    let theirs: string[];

    beforeAll(async () => {
      system = await createSystem({ sessionTimeout: SESSION_TIMEOUT_MS });
    });

    afterAll(async () => {
      expect(await system.close()).toEqual([]);
    });

    beforeEach(async () => {
      proxies = await Promise.all(system.servers.map(async ({ url }) => opened(await CutProxy.create(url))));
      ++number;
      const options = { id: `room ${number}`, routerOptions: { mediaCodecs } };
      one = await connected(nameOfOne());
      [room, shared] = [one, system.mafalda].map(
        mafalda => mafalda.createMafaldaRouter(options) as PipeableMafaldaRouter,
      ) as [typeof room, typeof room];
      const transports = await Promise.all(
        Array.from({ length: 2 * system.leaves.length }, () => shared.createDirectTransport()),
      );
      theirs = transports.map(({ id }) => id).sort();
      await system.useToo?.(room.id);
    });

    async function connected(as: string): Promise<MafaldaApi> {
      const mafalda = opened(
        system.control(
          proxies.map(({ url }) => url),
          as,
        ),
      );
      await once(mafalda as MafaldaHorizontal, 'connected');
      // A directory may name some of them only later.
      if (mafalda instanceof MafaldaHorizontal)
        await until('it knows all servers', () => mafalda.size === system.servers.length);
      return mafalda;
    }

    /** Returns the ids of what the leaves have, but for the ends of pipes. */
    function there(): string[] {
      const rooms = system.leaves.flatMap(({ mafaldaRouters }) => mafaldaRouters.get(room.id) ?? []);
      return rooms
        .flatMap(({ transports }) => [...transports.values()])
        .filter(({ type }) => type !== 'pipe')
        .map(({ id }) => id)
        .sort();
    }

    async function untilOnlyTheirs(): Promise<void> {
      await until('only what the other one has made is left', () => there().length === theirs.length);
      expect(there()).toEqual(theirs);
      await until('the other one knows', () => shared.transports.size === theirs.length);
      await shared.close();
    }

    function lose(what: CutProxy['losing']): void {
      for (const proxy of proxies) proxy.losing = what;
    }

    /** From here on neither side hears the other one. Resolves when this controller has given up. */
    async function cutOff(): Promise<void> {
      for (const proxy of proxies) proxy.blocked = true;
      for (const proxy of proxies) proxy.cut();
      await until('it has given up what it had', () => one.transports.size === 0);
    }

    function letBack(): void {
      for (const proxy of proxies) Object.assign(proxy, { losing: undefined, blocked: false });
    }

    const ways: [string, () => unknown][] = [
      ['closes', () => one.close()],
      [
        'gives up its servers',
        () => one instanceof MafaldaHorizontal && [...one].map(node => (one as MafaldaHorizontal).delete(node)),
      ],
      [
        'has lost its session',
        async () => {
          lose('answers');
          const made = Array.from({ length: COUNT }, () => room.createDirectTransport());
          void Promise.allSettled(made);
          await until('they are made', () => there().length === theirs.length + 3 * COUNT);
          await cutOff();
          letBack();
        },
      ],
    ];

    // A RemoteMafaldaClient has one server, and nothing to give it up by.
    test.each(name.startsWith('Remote') ? ways.filter(([what]) => !what.startsWith('gives up')) : ways)(
      'what a controller has made, and is making, closes when it %s',
      async (_what, leave) => {
        const transports = await Promise.all(Array.from({ length: COUNT }, () => room.createDirectTransport()));
        const rtpCapabilities = await room.getRtpCapabilities();
        const { id: dataProducerId } = await transports[0]!.produceData();
        const creating = Promise.allSettled([
          ...Array.from({ length: COUNT }, () => room.createDirectTransport()),
          ...transports.map(transport => transport.consumeData({ dataProducerId })),
        ]);
        expect(rtpCapabilities.codecs).toHaveLength(mediaCodecs.length * 2 - 1);
        await leave();
        await creating;
        await untilOnlyTheirs();
      },
    );

    test('what a controller has made that was killed has nobody: it can be seen, and goes when its successor comes', async () => {
      const transports = await Promise.all(Array.from({ length: COUNT }, () => room.createDirectTransport()));
      const made = transports.map(({ id }) => id).sort();
      // The answers are known to have arrived with what is said next.
      await one.getResourceUsages();
      const before = Date.now();
      await cutOff();
      const orphans = (): (typeof system.servers)[number]['orphans'] =>
        system.servers.flatMap(server => server.orphans);
      await until('all have nobody', () => orphans().flatMap(({ objects }) => objects).length === COUNT);
      expect(
        orphans()
          .flatMap(({ objects }) => objects.map(object => (object as { id: string }).id))
          .sort(),
      ).toEqual(made);
      expect(new Set(orphans().map(({ name: of, mafaldaRouter }) => `${of} ${mafaldaRouter}`))).toEqual(
        new Set([`${knownName()} ${room.id}`]),
      );
      const dumped = (await shared.dump()).orphans;
      expect(dumped.flatMap(({ objects }) => objects).sort()).toEqual(made);
      for (const { name: of, since, session } of dumped) {
        expect([of, orphans().some(orphan => orphan.session === session && orphan.since === since)]).toEqual([
          knownName(),
          true,
        ]);
        expect([since >= before, since <= Date.now()]).toEqual([true, true]);
      }
      const gone = once(shared.transports.get(made[0]!)!.observer, 'close');
      (
        orphans()
          .flatMap(({ objects }) => objects)
          .find(object => (object as { id: string }).id === made[0]) as { close(): void }
      ).close();
      await gone;
      // A failure that has killed it does not come back.
      for (const proxy of proxies.splice(0)) await proxy.close();
      proxies = await Promise.all(system.servers.map(async ({ url }) => opened(await CutProxy.create(url))));
      // Servers that a directory names are connected to when a room there is used.
      const successor = await connected(nameOfOne());
      await (successor.createMafaldaRouter({ id: room.id }) as PipeableMafaldaRouter).attach();
      await untilOnlyTheirs();
      expect(orphans()).toEqual([]);
    });

    test('what a controller closes right before it loses its sessions, unnoticed, is closed when it is back', async () => {
      await room.attach();
      await until('it sees them', () => room.transports.size === theirs.length);
      lose('requests');
      const closed = theirs.splice(0, theirs.length / 2);
      for (const id of closed) room.transports.get(id)!.close();
      await until('all of that is lost', () =>
        proxies.every(({ lost }, index) => lost > 0 || !closed.some(id => isBehind(index, id))),
      );
      await cutOff();
      expect(there()).toEqual([...theirs, ...closed].sort());
      letBack();
      await untilOnlyTheirs();
    });

    // A RemoteMafaldaClient has one server, and nothing to give it up by.
    test.each(name.startsWith('Remote') ? ways.slice(0, 1) : ways.slice(0, 2))(
      'what a controller has made closes when it %s while they can’t hear it, as soon as they can',
      async (_what, leave) => {
        await Promise.all(Array.from({ length: COUNT }, () => room.createDirectTransport()));
        await one.getResourceUsages();
        for (const proxy of proxies) Object.assign(proxy, { blocked: true, attempts: [] });
        for (const proxy of proxies) proxy.cut();
        const at = performance.now();
        void leave();
        expect(there()).toHaveLength(theirs.length + COUNT);
        // Longer than a client waits for its goodbye to be heard, and than its session outlives its connection.
        await until('they are still being looked for', () =>
          proxies.every(({ attempts }) => attempts.some(time => time > at + 1100)),
        );
        expect(there()).toHaveLength(theirs.length + COUNT);
        letBack();
        await untilOnlyTheirs();
      },
    );

    if (name.startsWith('Remote')) return;

    // A MafaldaRouter of several nodes outlives them.
    test.each([
      ['close()', 'have been lost', () => room.close()],
      ['closeAllMafaldaRouters()', 'have been lost', () => one.closeAllMafaldaRouters()],
      ['close()', 'are being lost, unnoticed', () => room.close()],
    ] as const)(
      'a MafaldaRouter that is closed by %s when its servers %s is closed for everybody when they are back',
      async (_what, when, close) => {
        await room.attach();
        await until('it sees them', () => room.transports.size === theirs.length);
        if (when === 'have been lost') {
          await cutOff();
          await close();
        } else {
          lose('requests');
          const closing = close();
          await until('the words are lost', () => proxies.every(({ lost }) => lost > 0));
          await cutOff();
          await expect(closing).rejects.toThrow(/closed before the call was answered/);
        }
        expect([room.closed, shared.closed, there()]).toEqual([true, false, theirs]);
        letBack();
        await until('it is closed', () => shared.closed);
        expect(there()).toEqual([]);
      },
    );

    /** Whether the object is behind the server with this index. */
    function isBehind(index: number, id: string): boolean {
      const served = system.leaves.length / system.servers.length;
      return system.leaves.slice(index * served, (index + 1) * served).some(({ transports }) => transports.has(id));
    }
  });
}
