import { localSystem } from '../helpers/systems.ts';
import { describeEvents } from './events.ts';
import { describeOptions } from './options.ts';
import { describeScenarios } from './scenarios.ts';

describeScenarios('Mafalda', localSystem);
describeEvents('Mafalda', localSystem);
describeOptions('Mafalda', localSystem);
