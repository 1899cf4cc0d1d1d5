// The contract on the simulator: what the real thing does, it does.
import { startSimulatedBehaviour } from './behaviour-on-simulator.ts';
import { describeBehaviour } from './behaviour-suite.ts';

describeBehaviour('on the simulator', startSimulatedBehaviour);
