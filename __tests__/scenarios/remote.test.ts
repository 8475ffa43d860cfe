import { remoteSystem } from '../helpers/systems.ts';
import { describeEvents } from './events.ts';
import { describeOwnership } from './ownership.ts';
import { describeScenarios } from './scenarios.ts';

describeScenarios('RemoteMafaldaClient', remoteSystem);
describeEvents('RemoteMafaldaClient', remoteSystem);
describeOwnership('RemoteMafaldaClient', remoteSystem);
