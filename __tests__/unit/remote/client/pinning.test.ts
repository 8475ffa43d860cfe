/** A server is known by its certificate, whoever has signed it; another one in its place is told nothing. */
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as mediasoup from 'mediasoup';
import { Mafalda, RemoteMafaldaClient, RemoteMafaldaServer, type Fingerprints } from '../../../../src/index.ts';
import { closingAfterEach } from '../../../helpers/cleanup.ts';
import { selfSigned, type Certificate } from '../../../helpers/tls.ts';
import { tlsBetween } from '../../../helpers/tlsBetween.ts';

const opened = closingAfterEach();
const host = '127.0.0.1';
let own: Certificate;
let another: Certificate;
let server: RemoteMafaldaServer;
let mafalda: Mafalda;

beforeAll(async () => {
  [own, another] = await Promise.all([selfSigned(), selfSigned()]);
  mafalda = new Mafalda(mediasoup, { workerBudget: false });
  server = new RemoteMafaldaServer(mafalda, { host, ...own, auth: 'secret' });
  await server.listen();
});
afterAll(async () => {
  await server.close();
  await mafalda.close();
});

const fingerprintOf = ({ cert }: Certificate): string => new X509Certificate(cert).fingerprint256;
const clientOf = (url: string, fingerprints: Fingerprints): RemoteMafaldaClient =>
  opened(new RemoteMafaldaClient(url, { token: 'secret', fingerprints }));

async function failureOf(client: RemoteMafaldaClient): Promise<Error> {
  const [{ error }] = (await once(client, 'connecterror')) as [{ error: Error }];
  return error;
}

test('a certificate that is pinned needs no authority', async () => {
  await once(clientOf(server.url, [fingerprintOf(another), fingerprintOf(own)]), 'connected');
});

test('another certificate is refused', async () => {
  const error = await failureOf(clientOf(server.url, [fingerprintOf(another)]));
  expect(error.message).toContain('its certificate is none of those that it is known by');
  expect(error.message).toContain(fingerprintOf(own));
});

test('the fingerprints are asked for at each attempt, and without any authorities decide', async () => {
  const asked: string[] = [];
  const answers: (readonly string[] | undefined)[] = [undefined, [fingerprintOf(own)]];
  const client = clientOf(server.url, url => {
    asked.push(url);
    return answers.shift();
  });
  expect((await failureOf(client)).message).toContain(
    'the authority that has signed its certificate is not known here',
  );
  await once(client, 'connected');
  expect(asked).toEqual([server.url, server.url]);
});

test('something between that answers with a certificate of its own hears not a word', async () => {
  const between = opened(await tlsBetween(server.url, another));
  const { url } = between;
  const error = await failureOf(clientOf(url, [fingerprintOf(own)]));
  expect(error.message).toContain('something between here and there answers in its place');
  expect(between.heard).toBe(0);
  // Without a pin it would have got all of it.
  await once(clientOf(url, [fingerprintOf(another)]), 'connected');
  expect(between.heard).toBeGreaterThan(0);
});

test.each([[[]], [['AB:CD']], [['ab:cd']], ['AB:CD']])('%p are no fingerprints', given => {
  expect(() => clientOf(server.url, given as unknown as string[])).toThrow('an array of SHA-256 fingerprints');
});
