// The ports of core: what stands in for them in core's own tests behaves as the real thing does.
import { startTakeoverInMemory } from './takeover-port-in-memory.ts';
import { startTakeoverOnSimulator } from './takeover-port-on-simulator.ts';
import { describeTakeoverPort } from './takeover-port-suite.ts';

describeTakeoverPort('in memory', startTakeoverInMemory);
describeTakeoverPort('on the simulator', startTakeoverOnSimulator);
