/** Help of a setting, from the docstring of its option. */
import { descriptions } from './settings/descriptions.ts';
import { argumentOf } from './settings/names.ts';
import type { Setting, Settings } from './settings/setting.ts';

/** Defaults that say nothing but that there is none. */
const noDefaults = ['none', 'undefined', 'false', '{}', '[]'];

/** Returns the first sentence of the docstring, and the default, in the words of the command line. */
export function helpOf(setting: Setting, settings: Settings): string {
  const { text, fallback } = descriptionOf(setting);
  const [sentence] = text.split(/\.(?= |$)/);
  const told = noDefaults.includes(fallback)
    ? sentence!
    : `${sentence} (default: ${fallback.replace(/^'(.*)'$/, '$1')})`;
  return told.replace(/`([^`]+)`/g, (_, name: string) => nameIn(settings, setting, name));
}

/** @throws {Error} if `npm run docs:configuration` has not been run since the option was declared */
export function descriptionOf({ source, option }: Setting): { text: string; fallback: string } {
  const key = descriptionKey(source.interfaces[0]!, option);
  const description = descriptions[key];
  if (!description) throw new Error(`${key} has no description: npm run docs:configuration`);
  return description;
}

export function descriptionKey(of: string, option: string): string {
  return `${of}.${option}`;
}

/** Returns the argument of the setting that an option's name stands for; other names as they are. */
function nameIn(settings: Settings, { source }: Setting, name: string): string {
  const [found] = Object.entries(settings).filter(([, other]) => other.option === name);
  const [own] = Object.entries(settings).filter(([, other]) => other.option === name && other.source === source);
  const named = own ?? found;
  return named ? argumentOf(named[0]) : name;
}
