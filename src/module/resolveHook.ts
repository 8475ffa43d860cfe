/** Hook for the thread in which Node.js before 22.15 resolves imports: see `replaceModule`. */
import type { InitializeHook, ResolveHook } from 'node:module';
import { replaces, type Replacement } from './replacement.ts';

let replacement: Replacement;

export const initialize: InitializeHook<Replacement> = data => {
  replacement = data;
};

export const resolve: ResolveHook = (specifier, context, nextResolve) =>
  replaces(replacement, specifier, context.parentURL)
    ? { url: replacement.url, shortCircuit: true }
    : nextResolve(specifier, context);
