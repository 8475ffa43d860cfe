/** A peer gets into the swarm by any of those that it knows of, and says why it does not. */
import { expect, test } from '@jest/globals';
import { Entrances } from '../../../../src/swarm/dht/entrances.ts';

const own = { host: '127.0.0.1', port: 1 };
const at = (port: number): string => `127.0.0.1:${port}`;

interface Asked {
  entrances: Entrances;
  ports: number[];
}

/** @param alive ports that answer */
function entrancesOf(
  alive: readonly number[],
  bootstrap: readonly string[],
  remembered: readonly string[] = [],
): Asked {
  const ports: number[] = [];
  const ask = async ({ port }: { port: number }): Promise<void> => {
    ports.push(port);
    if (!alive.includes(port)) throw new Error('no answer');
  };
  return { entrances: new Entrances({ bootstrap, remembered, own, ask }), ports };
}

test('a single answer is enough', async () => {
  const { entrances, ports } = entrancesOf([3], [at(2), at(3)], [at(4)]);
  expect(await entrances.askAll()).toEqual(new Map());
  expect(ports.sort()).toEqual([2, 3, 4]);
});

test('without an answer there is a reason for each', async () => {
  // A name that is too long is refused without a question to any network.
  const nobody = `${'a'.repeat(300)}:3`;
  const { entrances } = entrancesOf([], [at(2), nobody], [at(4)]);
  const failures = await entrances.askAll();
  expect([...failures.keys()].sort()).toEqual([at(2), at(4), nobody].sort());
  expect(failures.get(at(2))!.message).toBe('no answer');
  expect(failures.get(nobody)).toMatchObject({ syscall: 'getaddrinfo' });
});

test('a peer that finds itself among them is neither in nor shut out', async () => {
  const { entrances, ports } = entrancesOf([1], [at(1)]);
  expect(await entrances.askAll()).toEqual(new Map());
  expect(ports).toEqual([]);
});

test('a name is an address too', async () => {
  const { entrances, ports } = entrancesOf([2], ['localhost:2']);
  expect(await entrances.askAll()).toEqual(new Map());
  expect(ports).toEqual([2]);
});

test('of many remembered ones some are asked at a time, beside all that are named', async () => {
  const remembered = Array.from({ length: 50 }, (_, index) => at(100 + index));
  const { entrances, ports } = entrancesOf([], [at(2)], remembered);
  await entrances.askAll();
  expect(ports).toHaveLength(9);
  expect(ports).toContain(2);
});

test('a peer that was known in this run is asked when it is not any more, and when no other answers', async () => {
  const { entrances, ports } = entrancesOf([], []);
  await entrances.askOther([{ host: own.host, port: 2 }]);
  await expect(entrances.askOther([])).rejects.toThrow('no answer');
  expect([...(await entrances.askAll()).keys()]).toEqual([at(2)]);
  expect(ports).toEqual([2, 2]);
});

test('one that is not known at present is asked, if there is any', async () => {
  const { entrances, ports } = entrancesOf([2, 3], [at(2)], [at(3)]);
  await entrances.askOther([{ host: own.host, port: 2 }]);
  await entrances.askOther([2, 3].map(port => ({ host: own.host, port })));
  expect(ports).toEqual([3]);
});

test('in a large swarm, where many peers are known, few ask the others', async () => {
  const { entrances, ports } = entrancesOf([2], [at(2)]);
  const known = Array.from({ length: 1000 }, (_, index) => ({ host: own.host, port: 1000 + index }));
  for (let round = 0; round < 500; ++round) await entrances.askOther(known);
  // 10 on average.
  expect(ports.length).toBeLessThan(50);
});
