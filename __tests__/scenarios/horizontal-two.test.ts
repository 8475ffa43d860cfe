import { horizontalSystem } from '../helpers/systems.ts';
import { describeScenarios } from './scenarios.ts';

describeScenarios('MafaldaHorizontal, nodes: 2', () => horizontalSystem(2));
