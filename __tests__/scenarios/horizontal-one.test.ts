import { horizontalSystem } from '../helpers/systems.ts';
import { describeEvents } from './events.ts';
import { describeScenarios } from './scenarios.ts';

describeScenarios('MafaldaHorizontal, nodes: 1', () => horizontalSystem(1));
describeEvents('MafaldaHorizontal, nodes: 1', () => horizontalSystem(1));
