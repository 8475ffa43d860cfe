import { expect, test } from '@jest/globals';
import { helpOf } from '../../../src/cli/help.ts';
import { clusterSettings } from '../../../src/cli/settings/clusterSettings.ts';
import { serveSettings } from '../../../src/cli/settings/serveSettings.ts';

test('the help of a setting is the first sentence of the option’s docstring, with its default', () => {
  expect(helpOf(serveSettings.host, serveSettings)).toBe(
    'Address to listen on (default: all addresses of this machine)',
  );
  expect(helpOf(serveSettings.path, serveSettings)).toMatch(/\(default: \/mafalda\)$/);
  expect(helpOf(serveSettings.labels, serveSettings)).not.toMatch(/default/);
});

test('options are named as arguments, those of the same object first', () => {
  expect(helpOf(serveSettings.cert, serveSettings)).toMatch(/with it and --key the server listens/);
  expect(helpOf(clusterSettings.nodeKey, clusterSettings)).toMatch(/Private key of --node-cert/);
});
