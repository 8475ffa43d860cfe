/** The texts of the command's help, src/cli/settings/descriptions.ts: docstrings are not there at run time. */
import { format, resolveConfig } from 'prettier';
import { descriptionKey } from '../../src/cli/help.ts';
import { commands } from '../../src/cli/commands.ts';
import { docsOf, type Docs } from './docstrings.ts';

/** Returns the module with the texts of all settings. */
export async function descriptionsModule(file: string): Promise<string> {
  const texts: Record<string, Docs> = {};
  for (const { settings } of commands)
    for (const { source, option } of Object.values(settings))
      texts[descriptionKey(source.interfaces[0]!, option)] = docsOf(source.interfaces, option);
  const code = `/** Texts of settings, from the docstrings of the options; generated: npm run docs:configuration */

/** Texts and defaults, by interface and option. */
export const descriptions: Readonly<Record<string, { readonly text: string; readonly fallback: string }>> = ${JSON.stringify(texts)};
`;
  return format(code, { ...(await resolveConfig(file)), parser: 'typescript' });
}
