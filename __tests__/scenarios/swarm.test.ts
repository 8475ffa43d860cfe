import { swarmSystem } from '../helpers/systems.ts';
import { describeEvents } from './events.ts';
import { describeOptions } from './options.ts';
import { describeScenarios } from './scenarios.ts';

describeScenarios('MafaldaSwarm, peers: 3', () => swarmSystem(3));
describeEvents('MafaldaSwarm, peers: 3', () => swarmSystem(3));
describeOptions('MafaldaSwarm, peers: 3', () => swarmSystem(3));
