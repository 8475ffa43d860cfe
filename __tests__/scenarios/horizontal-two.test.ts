import { horizontalSystem } from '../helpers/systems.ts';
import { describeEvents } from './events.ts';
import { describeOptions } from './options.ts';
import { describeOwnership } from './ownership.ts';
import { describeScenarios } from './scenarios.ts';

describeScenarios('MafaldaHorizontal, nodes: 2', () => horizontalSystem(2));
describeEvents('MafaldaHorizontal, nodes: 2', () => horizontalSystem(2));
describeOptions('MafaldaHorizontal, nodes: 2', () => horizontalSystem(2));
describeOwnership('MafaldaHorizontal, nodes: 2', options => horizontalSystem(2, options));
