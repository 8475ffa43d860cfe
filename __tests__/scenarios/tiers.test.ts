import { tieredSystem } from '../helpers/systems.ts';
import { describeEvents } from './events.ts';
import { describeOptions } from './options.ts';
import { describeOwnership } from './ownership.ts';
import { describeScenarios } from './scenarios.ts';

const name = 'MafaldaHorizontal, nodes that are MafaldaHorizontals themselves';
describeScenarios(name, tieredSystem);
describeEvents(name, tieredSystem);
describeOptions(name, tieredSystem);
describeOwnership(name, tieredSystem);
