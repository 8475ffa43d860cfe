import { horizontalSystem } from '../helpers/systems.ts';
import { describeEvents } from './events.ts';
import { describeScenarios } from './scenarios.ts';

describeScenarios('MafaldaHorizontal, nodes: 2', () => horizontalSystem(2));
describeEvents('MafaldaHorizontal, nodes: 2', () => horizontalSystem(2));
