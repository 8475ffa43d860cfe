/** Makes Node.js resolve the name of a module to another module, for all importers but the replacing module itself. */
import * as nodeModule from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { replaces, type Replacement } from './replacement.ts';

/** Internal function by which `require()` resolves names; Node.js has no public hook for it before 22.15. */
interface Resolver {
  _resolveFilename(
    request: string,
    parent: { filename?: string | null } | null | undefined,
    ...rest: unknown[]
  ): string;
}

export function replaceModule(replacement: Replacement): void {
  if ('registerHooks' in nodeModule) {
    nodeModule.registerHooks({
      resolve: (specifier, context, nextResolve) =>
        replaces(replacement, specifier, context.parentURL)
          ? { url: replacement.url, shortCircuit: true }
          : nextResolve(specifier, context),
    });
    return;
  }
  replaceImports(replacement);
  replaceRequires(replacement);
}

function replaceImports(replacement: Replacement): void {
  nodeModule.register(new URL('resolveHook.js', import.meta.url), { data: replacement });
}

function replaceRequires(replacement: Replacement): void {
  const resolver = nodeModule.Module as unknown as Resolver;
  const resolveFilename = resolver._resolveFilename.bind(resolver);
  resolver._resolveFilename = (request, parent, ...rest) => {
    const parentUrl = parent?.filename ? pathToFileURL(parent.filename).href : undefined;
    return replaces(replacement, request, parentUrl)
      ? fileURLToPath(replacement.url)
      : resolveFilename(request, parent, ...rest);
  };
}
