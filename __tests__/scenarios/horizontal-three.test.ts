import { horizontalSystem } from '../helpers/systems.ts';
import { describeEvents } from './events.ts';
import { describeScenarios } from './scenarios.ts';

describeScenarios('MafaldaHorizontal, nodes: 3', () => horizontalSystem(3));
describeEvents('MafaldaHorizontal, nodes: 3', () => horizontalSystem(3));
