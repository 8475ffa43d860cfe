import { remoteSystem } from '../helpers/systems.ts';
import { describeEvents } from './events.ts';
import { describeOptions } from './options.ts';
import { describeOwnership } from './ownership.ts';
import { describeScenarios } from './scenarios.ts';

describeScenarios('RemoteMafaldaClient', remoteSystem);
describeEvents('RemoteMafaldaClient', remoteSystem);
describeOptions('RemoteMafaldaClient', remoteSystem);
describeOwnership('RemoteMafaldaClient', remoteSystem);
