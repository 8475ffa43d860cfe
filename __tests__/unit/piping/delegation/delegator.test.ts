import { beforeEach, describe, expect, test } from '@jest/globals';
import { ObjectTree } from '../../../../src/core/objectTree.ts';
import { Delegator } from '../../../../src/piping/delegation/delegator.ts';
import { notePath } from '../../../../src/piping/delegation/paths.ts';
import type { Asker, OfferRequest, PipeOffer, PipeRedirect } from '../../../../src/piping/endpoint.ts';
import { Streams } from '../../../../src/piping/streams.ts';
import {
  addRouter,
  consume,
  createTransport,
  produce,
  type ImaginaryObject,
} from '../../../helpers/imaginaryObjects.ts';

let tree: ObjectTree;
let here: ImaginaryObject;
let load: number;
let delegator: Delegator;
/** The latest pipe to each Router. */
let pipes: Map<string, ImaginaryObject>;

beforeEach(() => {
  tree = new ObjectTree();
  here = addRouter(tree, 'here');
  load = 0;
  pipes = new Map();
  const streams = new Streams(tree);
  delegator = new Delegator({ tree, streams, fanOut: 2, watermark: 60, load: () => load });
});

const asker: Asker = { routers: [], asked: [], must: false };

/** Asks on behalf of a Router; the pipe is there when the answer is. */
function ask(remoteRouterId: string, as: Asker | null = asker): Promise<PipeOffer | PipeRedirect> {
  const request: OfferRequest = {
    ...{ routerId: 'here', remoteRouterId, link: 'media', network: true },
    stream: { producerId: 'stream' },
    asker: as ?? undefined,
  };
  return delegator.offer(request, async ({ remoteRouterId: to, asker: passedOn }) => {
    expect(passedOn).toBeUndefined();
    await Promise.resolve();
    pipes.set(to, consume(createTransport(here, to), 'stream'));
    return { served: to } as unknown as PipeOffer;
  });
}

const namesOf = (answer: PipeOffer | PipeRedirect): string[] | string =>
  'redirect' in answer
    ? answer.redirect.candidates.map(({ routerId }) => routerId)
    : (answer as unknown as { served: string }).served;

describe('a place with its share of pipes', () => {
  beforeEach(() => void produce(createTransport(here), 'stream'));

  test('serves a burst up to its share, and sends the others to those in turn', async () => {
    const answers = await Promise.all(['a', 'b', 'c', 'd', 'e'].map(id => ask(id)));
    expect(answers.map(namesOf)).toEqual(['a', 'b', ['a', 'b'], ['b', 'a'], ['a', 'b']]);
  });

  test('serves whoever can’t be sent on, and again when a branch has gone', async () => {
    for (const id of ['a', 'b']) await ask(id);
    expect(namesOf(await ask('c'))).toEqual(['a', 'b']);
    pipes.get('a')!.close();
    expect(namesOf(await ask('c'))).toBe('c');
    expect(namesOf(await ask('old', null))).toBe('old');
  });

  test('makes a pipe again for those whom it serves already', async () => {
    const first = ask('a');
    expect((await Promise.all([first, ask('a'), ask('a'), ask('b')])).map(namesOf)).toEqual(['a', 'a', 'a', 'b']);
  });

  test('sends on by its load too, and serves beyond its share if it must, up to a limit', async () => {
    load = 60;
    expect(namesOf(await ask('a'))).toEqual([]);
    const served = [];
    for (let index = 0; index < 12; ++index)
      served.push('redirect' in (await ask(`r${index}`, { ...asker, must: true })) ? 0 : 1);
    expect(served).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0]);
  });

  test('takes no more of those that can’t be sent on than of those that say that it must', async () => {
    for (let index = 0; index < 8; ++index) expect(namesOf(await ask(`r${index}`, null))).toBe(`r${index}`);
    await expect(ask('r8', null)).rejects.toMatchObject({ code: 'ERR_MAFALDA_LIMIT', limit: 'fanOut', max: 8 });
    expect(namesOf(await ask('r7', null))).toBe('r7');
  });

  test('takes no absurd load for a small one', async () => {
    await ask('a', { ...asker, load: NaN });
    await ask('b', { load: -1e9 } as Asker);
    const answer = await ask('c');
    expect('redirect' in answer && answer.redirect.candidates.map(candidate => candidate.load)).toEqual([0, 0]);
  });
});

test('a place that is just getting the stream lets those wait that were sent there', async () => {
  const listening = tree.listenerCount('add');
  const sent = ask('a', { ...asker, asked: ['origin'] });
  let isAnswered = false;
  void sent.then(() => (isAnswered = true));
  produce(createTransport(here, 'origin'), 'another stream');
  await new Promise(setImmediate);
  expect(isAnswered).toBe(false);
  produce(createTransport(here, 'origin'), 'stream');
  expect(namesOf(await sent)).toBe('a');
  expect(tree.listenerCount('add')).toBe(listening);
});

test('an asker on the path of the stream is sent back to where that begins', async () => {
  produce(createTransport(here, 'asker'), 'stream');
  notePath(tree.routers.get('here')!, 'stream', ['origin', 'other router of the asker', 'asker']);
  expect(namesOf(await ask('asker', { ...asker, must: true, routers: ['other router of the asker'] }))).toEqual([
    'origin',
  ]);
});
