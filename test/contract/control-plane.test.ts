// The contract, held against a real control plane. Where this one passes and simulator.test.ts fails, the simulator is wrong.
import { startRealApi } from './api-on-control-plane.ts';
import { describeApi } from './api-suite.ts';
import { startRealBehaviour } from './behaviour-on-control-plane.ts';
import { describeBehaviour } from './behaviour-suite.ts';

describeApi('on a real control plane', startRealApi);
describeBehaviour('on a real control plane', startRealBehaviour);
