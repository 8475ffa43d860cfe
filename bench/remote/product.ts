/** The library as applications get it: built. What runs its sources gives each function a name when it is made, which costs calls some of their time. */
type Product = typeof import('../../src/index.ts');

export const { Mafalda, MafaldaHorizontal, RemoteMafaldaClient, RemoteMafaldaServer } = (await import(new URL('../../dist/index.js', import.meta.url).href)) as Product;
