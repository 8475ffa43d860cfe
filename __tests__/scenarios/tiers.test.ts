import { tieredSystem } from '../helpers/systems.ts';
import { describeEvents } from './events.ts';
import { describeOwnership } from './ownership.ts';
import { describeScenarios } from './scenarios.ts';

const name = 'MafaldaHorizontal, nodes that are MafaldaHorizontals themselves';
describeScenarios(name, tieredSystem);
describeEvents(name, tieredSystem);
describeOwnership(name, tieredSystem);
