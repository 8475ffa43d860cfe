import { tieredSystem } from '../helpers/systems.ts';
import { describeScenarios } from './scenarios.ts';

describeScenarios('MafaldaHorizontal, nodes that are MafaldaHorizontals themselves', tieredSystem);
