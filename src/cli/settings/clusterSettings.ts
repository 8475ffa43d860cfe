/** Settings of `cluster`: options of a MafaldaHorizontal and of its server. */
import * as v from 'valibot';
import { expecting, optionsOf } from '../../api/optionsSchema.ts';
import { listOf, text } from '../../api/optionTypes.ts';
import { written } from '../../api/written.ts';
import { horizontalOptions } from '../../horizontal/horizontalOptions.ts';
import { strategies, type Strategy } from '../../horizontal/index.ts';
import { programSettings } from './programSettings.ts';
import { redisSettings } from './redisSettings.ts';
import { centralServerSettings } from './serverSettings.ts';
import { renamed, settingsOf, type SettingSource } from './setting.ts';

/** Settings of a cluster, beside the options of its MafaldaHorizontal. */
export interface ClusterSettings {
  /**
   * URLs of the nodes.
   * @default those of the directory
   */
  nodes?: readonly string[];
  /**
   * Name of the strategy that chooses the nodes for new objects: `concentrate`, `leastLoaded`, `twoChoices`,
   * `regionFirst`. A module with settings may have a function instead.
   * @default concentrate
   */
  strategy?: keyof typeof strategies | Strategy;
}

export const horizontalSource: SettingSource = {
  title: 'The nodes',
  interfaces: ['MafaldaHorizontalOptions', 'RemoteMafaldaClientOptions'],
};

/** Options of a MafaldaHorizontal that no setting can be. */
export const noClusterSettings = {
  directory: 'is made of `redis`',
  strategy: 'is a function, of which `strategy` has the name',
} as const;

const names = Object.keys(strategies) as (keyof typeof strategies)[];

const strategy = written(
  'text',
  expecting(
    `one of ${names.join(', ')}; or, in a module with settings, a function`,
    v.union([v.picklist(names), v.custom<Strategy>(value => typeof value === 'function')]),
  ),
);

const options = settingsOf(horizontalSource, horizontalOptions, noClusterSettings);

const centralSettings = { ...programSettings, ...centralServerSettings, ...redisSettings };

export const clusterSettings = {
  ...centralSettings,
  ...settingsOf(
    { title: horizontalSource.title, interfaces: ['ClusterSettings'] },
    optionsOf<ClusterSettings>()({ nodes: v.optional(listOf('URLs', text)), strategy: v.optional(strategy) }),
  ),
  // A node's certificate is not the server's own: names that both would have begin with `node`.
  ...renamed(options, { ...centralSettings, fingerprints: options.fingerprints }, 'node'),
};
