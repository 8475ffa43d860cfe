import { localSystem } from '../helpers/systems.ts';
import { describeScenarios } from './scenarios.ts';

describeScenarios('Mafalda', localSystem);
