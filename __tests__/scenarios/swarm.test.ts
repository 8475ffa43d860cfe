import { swarmSystem } from '../helpers/swarmSystem.ts';
import { describeEvents } from './events.ts';
import { describeOptions } from './options.ts';
import { describeOwnership } from './ownership.ts';
import { describeScenarios } from './scenarios.ts';

describeScenarios('MafaldaSwarm, peers: 3', () => swarmSystem(3));
describeEvents('MafaldaSwarm, peers: 3', () => swarmSystem(3));
describeOptions('MafaldaSwarm, peers: 3', () => swarmSystem(3));
describeOwnership('MafaldaSwarm, peers: 3', options => swarmSystem(3, options));
