import { horizontalSystem } from '../helpers/systems.ts';
import { describeEvents } from './events.ts';
import { describeOptions } from './options.ts';
import { describeOwnership } from './ownership.ts';
import { describeScenarios } from './scenarios.ts';

describeScenarios('MafaldaHorizontal, nodes: 1', () => horizontalSystem(1));
describeEvents('MafaldaHorizontal, nodes: 1', () => horizontalSystem(1));
describeOptions('MafaldaHorizontal, nodes: 1', () => horizontalSystem(1));
describeOwnership('MafaldaHorizontal, nodes: 1', options => horizontalSystem(1, options));
