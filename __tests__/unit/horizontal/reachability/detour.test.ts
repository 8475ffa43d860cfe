/** Choice of the node by which a stream goes between two that don't reach each other, among imaginary ones; `scenarios/partitions` has real ones. */
import { expect, test } from '@jest/globals';
import type { Router } from 'mediasoup/types';
import type { PipeableMafaldaRouter } from '../../../../src/base/pipeableMafaldaRouter.ts';
import type { ClusterNode } from '../../../../src/horizontal/clusterNode.ts';
import { makeDetour } from '../../../../src/horizontal/reachability/detour.ts';
import type { StreamInRouter } from '../../../../src/piping/streams.ts';

type State = Partial<Pick<ClusterNode, 'connected' | 'unreachable' | 'lost' | 'draining' | 'load'>> & {
  rooms?: boolean;
};

/** Nodes by their letters: `a` has the stream, `b` asks for it. */
async function detour(
  others: Record<string, State>,
  down: readonly string[],
): Promise<{ by: string; isKept: boolean | undefined }> {
  const states: Record<string, State> = { a: {}, b: {}, ...others };
  const nodes = Object.entries(states).map(
    ([id, state]) =>
      ({ id, connected: true, unreachable: false, lost: false, draining: false, load: 10, ...state }) as ClusterNode,
  );
  const routers = new Map(nodes.map(node => [node, { id: node.id } as Router]));
  const nodeOf = (router: Router): ClusterNode => nodes.find(({ id }) => id === router.id)!;
  const kept = new Map<ClusterNode, boolean>();
  let by = '';
  await makeDetour(
    { producerId: 'stream' },
    [{ router: routers.get(nodes[0]!) } as StreamInRouter],
    routers.get(nodes[1]!)!,
    {
      nodes,
      nodeOf,
      hasRouters: ({ id }) => states[id]?.rooms === true,
      partOn: node =>
        ({
          routers: new Map([['router', routers.get(node)]]),
          createDirectTransport: async () => {
            kept.set(node, true);
            return { close: () => kept.set(node, false) };
          },
        }) as unknown as PipeableMafaldaRouter,
      reaches: (one, other) => !down.includes([one.id, other.id].sort().join('')),
      bring: async (_stream, router) => void (by = router.id),
    },
  );
  return { by, isKept: kept.get(nodes.find(({ id }) => id === by)!) };
}

test('a node that reaches both, and has something of the room already, else the emptiest', async () => {
  expect(await detour({ c: { load: 5 }, d: { rooms: true } }, ['ab'])).toEqual({ by: 'd', isKept: undefined });
  expect((await detour({ c: { load: 20 }, d: {} }, ['ab'])).by).toBe('d');
  expect((await detour({ c: { draining: true, load: 0 }, d: {} }, ['ab'])).by).toBe('d');
});

test('a Router that is made for it is kept until the stream is there', async () => {
  expect(await detour({ c: {} }, ['ab'])).toEqual({ by: 'c', isKept: false });
});

test.each<[string, Record<string, State>, string[]]>([
  ['there is no other one', {}, ['ab']],
  ['the other one does not reach the one that asks', { c: {} }, ['ab', 'bc']],
  ['the other one does not reach the one that has it', { c: {} }, ['ab', 'ac']],
  ['the other one is not heard', { c: { unreachable: true } }, ['ab']],
  ['the other one is lost', { c: { connected: false, lost: true } }, ['ab']],
])('where %s it says so, rather than to consume into silence', async (_what, others, down) => {
  await expect(detour(others, down)).rejects.toMatchObject({
    code: 'ERR_MAFALDA_NODE_UNAVAILABLE',
    node: 'b',
    message: expect.stringMatching(/from a does not reach b/),
  });
});
