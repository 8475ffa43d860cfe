export { MafaldaSwarm } from './mafaldaSwarm.ts';
export type { MafaldaSwarmEvents, MafaldaSwarmOptions, SwarmPeer, SwarmTrustOptions } from './swarmOptions.ts';
export type { NodeRecord } from '../horizontal/directory/directory.ts';
export type { SwarmTiming } from './directory/timing.ts';
