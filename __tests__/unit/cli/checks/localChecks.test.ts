/** Checks of this machine by themselves: those that find something. */
import { expect, test } from '@jest/globals';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import type { Finding } from '../../../../src/cli/checks/check.ts';
import { checkNode, localChecks, type LocalValues } from '../../../../src/cli/checks/localChecks.ts';
import { closingAfterEach } from '../../../helpers/cleanup.ts';

const opened = closingAfterEach();

function find(name: RegExp, values: LocalValues): Promise<Finding> {
  const check = localChecks(values).find(one => name.test(one.name));
  if (!check) throw new Error(`there is no check ${name}`);
  return check.run();
}

test('a TCP port that another program has', async () => {
  const server = opened(createServer().listen(0, '127.0.0.1'));
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const finding = await find(/TCP port/, { port, host: '127.0.0.1' });
  expect(finding).toEqual({ state: 'problem', text: expect.stringContaining('EADDRINUSE') as unknown as string });
});

test('UDP ports that other programs have, all or some of them', async () => {
  const socket = opened(createSocket('udp4'));
  socket.bind(0);
  await once(socket, 'listening');
  const { port } = socket.address();
  expect(await find(/media ports/, { mediaPorts: { min: port, max: port } })).toMatchObject({ state: 'problem' });
  const [min, max] = port === 65_535 ? [port - 1, port] : [port, port + 1];
  const { state } = await find(/pipe ports/, { pipePorts: { min, max } });
  expect(state).not.toBe('ok');
});

test('a certificate that is none, and no announced address', async () => {
  expect(await find(/certificate/, { cert: 'no PEM' })).toMatchObject({ state: 'problem' });
  expect(await find(/announced address/, {})).toMatchObject({ state: 'warning' });
});

test('a Node.js that mediasoup does not support', () => {
  expect(checkNode('20.20.2')).toMatchObject({ state: 'warning' });
  expect(checkNode('22.0.0')).toMatchObject({ state: 'ok' });
});
