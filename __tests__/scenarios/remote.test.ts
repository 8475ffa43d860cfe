import { remoteSystem } from '../helpers/systems.ts';
import { describeScenarios } from './scenarios.ts';

describeScenarios('RemoteMafaldaClient', remoteSystem);
