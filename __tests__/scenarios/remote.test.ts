import { remoteSystem } from '../helpers/systems.ts';
import { describeEvents } from './events.ts';
import { describeScenarios } from './scenarios.ts';

describeScenarios('RemoteMafaldaClient', remoteSystem);
describeEvents('RemoteMafaldaClient', remoteSystem);
