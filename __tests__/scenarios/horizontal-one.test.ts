import { horizontalSystem } from '../helpers/systems.ts';
import { describeScenarios } from './scenarios.ts';

describeScenarios('MafaldaHorizontal, nodes: 1', () => horizontalSystem(1));
