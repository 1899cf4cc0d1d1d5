// The contract on a real control plane: the tests state what it does, and nothing else.
import { startRealBehaviour } from './behaviour-on-control-plane.ts';
import { describeBehaviour } from './behaviour-suite.ts';

describeBehaviour('on a real control plane', startRealBehaviour);
