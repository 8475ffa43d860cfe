/** Settings that clients may choose for the Workers that they have started on a server. */
import { describe, expect, test } from '@jest/globals';
import { RemoteMafaldaClient, type RemoteMafaldaServerOptions } from '../../../../src/index.ts';
import { SettingsPolicy } from '../../../../src/remote/server/settingsPolicy.ts';
import { closingAfterEach } from '../../../helpers/cleanup.ts';
import { Served } from '../../../helpers/serve.ts';

const opened = closingAfterEach();

describe('a policy', () => {
  test('without settings of the server leaves them to clients, but for files and programs', () => {
    const policy = new SettingsPolicy(undefined, undefined);
    expect(policy.settle({ logLevel: 'warn', rtcMinPort: 40_000 })).toEqual({ logLevel: 'warn', rtcMinPort: 40_000 });
    expect(policy.settle(undefined)).toBeUndefined();
    for (const name of ['workerBin', 'dtlsCertificateFile', 'dtlsPrivateKeyFile']) {
      expect(() => policy.settle({ [name]: '/x' }, 'workerSettings.')).toThrow(
        `workerSettings.${name} can't be chosen from outside`,
      );
    }
  });

  test('fills in the server’s, and refuses others', () => {
    const policy = new SettingsPolicy({ logLevel: 'error', rtcMinPort: 40_000 }, undefined);
    expect(policy.settle(undefined)).toEqual({ logLevel: 'error', rtcMinPort: 40_000 });
    expect(policy.settle({ logLevel: 'error', logTags: ['ice'] })).toEqual({
      logLevel: 'error',
      rtcMinPort: 40_000,
      logTags: ['ice'],
    });
    expect(() => policy.settle({ logLevel: 'warn' })).toThrow(
      /logLevel is not for clients of this server to choose: it is the server’s own/,
    );
  });

  test('lets clients choose what is listed, and nothing else', () => {
    const policy = new SettingsPolicy({ logLevel: 'error' }, ['logLevel']);
    expect(policy.settle({ logLevel: 'warn', appData: { mine: 1 } })).toEqual({
      logLevel: 'warn',
      appData: { mine: 1 },
    });
    expect(() => policy.settle({ rtcMinPort: 1 })).toThrow(/rtcMinPort .*: only logLevel may be chosen/);
    expect(() => new SettingsPolicy(undefined, []).settle({ logLevel: 'warn' })).toThrow(TypeError);
  });

  test('is made of settings and names', async () => {
    const wrong = (options: object): unknown => Served.create(options);
    await expect(wrong({ workerSettings: 'x' })).rejects.toThrow(/workerSettings must be an object; it is "x"/);
    await expect(wrong({ workerSettings: { loglevel: 'warn' } })).rejects.toThrow(
      /workerSettings: unknown option loglevel, do you mean logLevel/,
    );
    await expect(wrong({ clientWorkerSettings: 'x' })).rejects.toThrow(/clientWorkerSettings must be an array/);
    await expect(wrong({ clientWorkerSettings: ['workerBin'] })).rejects.toThrow(
      /without those of files of this machine/,
    );
  });
});

test('a server’s settings are those of all Workers that clients have, and clients can’t take its cores by asking for others', async () => {
  const options: Partial<RemoteMafaldaServerOptions> = {
    workerSettings: { logLevel: 'error', rtcMinPort: 42_000, rtcMaxPort: 42_999 },
    clientWorkerSettings: [],
  };
  const served = opened(await Served.create(options));
  const client = opened(new RemoteMafaldaClient(served.url));
  const room = client.createMafaldaRouter();
  const { tuple } = await room.createPlainTransport({ listenIp: '127.0.0.1' });
  expect([tuple.localPort >= 42_000, tuple.localPort <= 42_999]).toEqual([true, true]);
  await expect(
    client.createMafaldaRouter({ workerSettings: { logLevel: 'warn' } }).createDirectTransport(),
  ).rejects.toThrow(/workerSettings\.logLevel is not for clients/);
  await expect(client.mediasoup.createWorker({ logLevel: 'warn' })).rejects.toThrow(TypeError);
  const router = await (
    await client.mediasoup.createWorker({ logLevel: 'error', appData: { mine: true } })
  ).createRouter();
  const own = await router.createPlainTransport({ listenIp: '127.0.0.1' });
  expect([own.tuple.localPort >= 42_000, own.tuple.localPort <= 42_999]).toEqual([true, true]);
  expect(served.mafalda.workers.size).toBe(1);
});
