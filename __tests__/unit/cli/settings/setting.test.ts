import { describe, expect, test } from '@jest/globals';
import * as v from 'valibot';
import { optionsOf } from '../../../../src/api/optionsSchema.ts';
import { callback, port, text } from '../../../../src/api/optionTypes.ts';
import { commands } from '../../../../src/cli/commands.ts';
import { connectionSource, noClientSettings } from '../../../../src/cli/settings/clientSettings.ts';
import { horizontalSource, noClusterSettings } from '../../../../src/cli/settings/clusterSettings.ts';
import { redisSource } from '../../../../src/cli/settings/redisSettings.ts';
import { mafaldaSource } from '../../../../src/cli/settings/serveSettings.ts';
import {
  noCentralServerSettings,
  noServerSettings,
  serverSource,
} from '../../../../src/cli/settings/serverSettings.ts';
import { optionsFrom, renamed, settingsOf, type SettingSource } from '../../../../src/cli/settings/setting.ts';
import { horizontalOptions } from '../../../../src/horizontal/horizontalOptions.ts';
import { mafaldaOptions } from '../../../../src/local/mafaldaOptions.ts';
import { redisDirectoryOptions } from '../../../../src/redis/redisDirectoryOptions.ts';
import { connectionOptions } from '../../../../src/remote/client/connectionOptions.ts';
import { serverOptions } from '../../../../src/remote/server/serverOptions.ts';
import { addressOptions } from '../../../../src/core/addresses/addresses.ts';

const source: SettingSource = { title: 'Test', interfaces: ['TestOptions'] };

describe('settings of options', () => {
  const options = optionsOf<{ port?: number; host?: string; hook?: () => void }>()({
    port: v.optional(port),
    host: v.optional(text),
    hook: v.optional(callback<() => void>('a function')),
  });

  test('an option that nothing written can stand for has to be left out', () => {
    expect(() => settingsOf(source, options)).toThrow(/TestOptions\.hook can't be a setting .* leave it out/);
    expect(Object.keys(settingsOf(source, options, { hook: 'is a function' }))).toEqual(['port', 'host']);
  });

  test('a name that another one has already gets a prefix, and the option keeps its own', () => {
    const own = settingsOf(source, options, { hook: 'is a function' });
    const both = { ...own, ...renamed(own, { port: own.port }, 'node') };
    expect(Object.keys(both)).toEqual(['port', 'host', 'nodePort']);
    expect(both.nodePort.option).toBe('port');
  });

  test('the options of one source are picked by their own names', () => {
    const own = settingsOf(source, options, { hook: 'is a function' });
    const other: SettingSource = { title: 'Test', interfaces: ['OtherOptions'] };
    const settings = { ...own, ...renamed(settingsOf(other, options, { hook: 'is a function' }), own, 'node') };
    const values = { port: 1, nodePort: 2, nodeHost: 'b' };
    expect(optionsFrom(source, settings, values)).toEqual({ port: 1 });
    expect(optionsFrom(other, settings, values)).toEqual({ port: 2, host: 'b' });
  });
});

/** An option of the library that is added has to be in the command too, or to be left out for a reason. */
test.each<[string, SettingSource, v.ObjectEntries, Record<string, string>]>([
  ['serve', serverSource, serverOptions.entries, { ...noServerSettings, ...addressesOfTheMafalda() }],
  ['serve', mafaldaSource, mafaldaOptions.entries, {}],
  ['serve', redisSource, redisDirectoryOptions.entries, {}],
  ['cluster', serverSource, serverOptions.entries, noCentralServerSettings],
  ['cluster', horizontalSource, horizontalOptions.entries, noClusterSettings],
  ['cluster', redisSource, redisDirectoryOptions.entries, {}],
  ['status', connectionSource, connectionOptions.entries, noClientSettings],
  ['drain', connectionSource, connectionOptions.entries, noClientSettings],
  ['doctor', connectionSource, connectionOptions.entries, noClientSettings],
])('%s has all options of the library that are not left out: %j', (name, from, entries, leftOut) => {
  const { settings } = commands.find(command => command.name === name)!;
  const taken = Object.values(settings).filter(setting => setting.source === from);
  expect(taken.map(({ option }) => option).sort()).toEqual(
    Object.keys(entries)
      .filter(option => !(option in leftOut))
      .sort(),
  );
  for (const { option, schema } of taken) expect(schema).toBe(entries[option]);
  expect(Object.keys(leftOut).filter(option => !(option in entries))).toEqual([]);
});

/** Options that a Mafalda and its server both have, of which the command has one setting. */
function addressesOfTheMafalda(): Record<string, string> {
  return Object.fromEntries(Object.keys(addressOptions.entries).map(name => [name, 'is the Mafalda’s']));
}
