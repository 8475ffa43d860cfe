export { RemoteMafaldaClient, ReadyState, type RemoteMafaldaClientEvents, type RemoteMafaldaClientOptions } from './client.ts';
