export { RemoteMafaldaClient, ReadyState, type RemoteMafaldaClientEvents, type RemoteMafaldaClientOptions } from './client/index.ts';
export { RemoteMafaldaServer, type RemoteMafaldaServerOptions, type ServerCounts } from './server/server.ts';
export { mafaldaRouterDefaultOptions } from '../shared/options.ts';
