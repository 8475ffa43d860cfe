import { horizontalSystem } from '../helpers/systems.ts';
import { describeEvents } from './events.ts';
import { describeOptions } from './options.ts';
import { describeOwnership } from './ownership.ts';
import { describeScenarios } from './scenarios.ts';

describeScenarios('MafaldaHorizontal, nodes: 3', () => horizontalSystem(3));
describeEvents('MafaldaHorizontal, nodes: 3', () => horizontalSystem(3));
describeOptions('MafaldaHorizontal, nodes: 3', () => horizontalSystem(3));
describeOwnership('MafaldaHorizontal, nodes: 3', options => horizontalSystem(3, options));
