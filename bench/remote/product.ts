/** The library as applications get it: built. What runs its sources gives each function a name when it is made, which costs calls some of their time. */
import type * as Product from '../../src/index.ts';

const built = (await import(new URL('../../dist/index.js', import.meta.url).href)) as typeof Product;

export const { Mafalda, MafaldaHorizontal, RemoteMafaldaClient, RemoteMafaldaServer } = built;
