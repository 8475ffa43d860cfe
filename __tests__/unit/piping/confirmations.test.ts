import { expect, test } from '@jest/globals';
import { Confirmations } from '../../../src/piping/confirmations.ts';
import type { ConfirmRequest, PipeEndpoint } from '../../../src/piping/endpoint.ts';
import { until } from '../../helpers/until.ts';

const LONG_MS = 600_000;

function endpoint(): { confirmed: ConfirmRequest[]; endpoint: PipeEndpoint } {
  const confirmed: ConfirmRequest[] = [];
  const refuse = (): Promise<never> => Promise.reject(new Error('not asked for'));
  const confirmPipes = async (request: ConfirmRequest): Promise<void> => void confirmed.push(request);
  return {
    confirmed,
    endpoint: { openLink: refuse, offerPipe: refuse, connectLink: refuse, acceptPipe: refuse, confirmPipes },
  };
}

const link = { routerId: 'a', remoteRouterId: 'b', link: 'media' } as const;

test('pipes of a link are confirmed together, and those of another link apart', () => {
  const { confirmed, endpoint: source } = endpoint();
  const confirmations = new Confirmations(LONG_MS);
  for (const id of ['1', '2']) confirmations.add(source, link, id);
  confirmations.add(source, { ...link, link: 'data' }, '3');
  expect(confirmed).toEqual([]);
  confirmations.flush();
  expect(confirmed).toEqual([
    { ...link, consumerIds: ['1', '2'] },
    { ...link, link: 'data', consumerIds: ['3'] },
  ]);
  confirmations.flush();
  expect(confirmed.length).toBe(2);
});

test('nothing waits longer than it must, nor for more than one call can say', async () => {
  const { confirmed, endpoint: source } = endpoint();
  const confirmations = new Confirmations(LONG_MS);
  for (let id = 0; id < 250; ++id) confirmations.add(source, link, String(id));
  expect(confirmed.map(({ consumerIds }) => consumerIds.length)).toEqual([100, 100]);
  confirmations.flush();
  const soon = new Confirmations(1);
  soon.add(source, link, 'last');
  await until('it has been confirmed', () => confirmed.at(-1)?.consumerIds[0] === 'last');
});
