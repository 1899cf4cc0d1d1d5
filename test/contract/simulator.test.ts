// The contract, held against the simulator.
import { startSimulatedApi } from './api-on-simulator.ts';
import { describeApi } from './api-suite.ts';
import { startSimulatedBehaviour } from './behaviour-on-simulator.ts';
import { describeBehaviour } from './behaviour-suite.ts';

describeApi('on the simulator', startSimulatedApi);
describeBehaviour('on the simulator', startSimulatedBehaviour);
