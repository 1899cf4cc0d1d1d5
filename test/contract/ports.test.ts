// The ports of core: what stands in for them in core's own tests behaves as the real thing does.
import { startLeaseInMemory } from './lease-port-in-memory.ts';
import { startLeaseOnSimulator } from './lease-port-on-simulator.ts';
import { describeLeasePort } from './lease-port-suite.ts';
import { startMaintenanceInMemory } from './maintenance-port-in-memory.ts';
import { startMaintenanceOnSimulator } from './maintenance-port-on-simulator.ts';
import { describeMaintenancePort } from './maintenance-port-suite.ts';
import { describePausePort, startPauseInMemory, startPauseOnSimulator } from './pause-port.ts';
import { startReaderInMemory } from './reader-port-in-memory.ts';
import { startReaderOnSimulator } from './reader-port-on-simulator.ts';
import { describeReaderPort } from './reader-port-suite.ts';
import { startTakeoverInMemory } from './takeover-port-in-memory.ts';
import { startTakeoverOnSimulator } from './takeover-port-on-simulator.ts';
import { describeTakeoverPort } from './takeover-port-suite.ts';

describeTakeoverPort('in memory', startTakeoverInMemory);
describeTakeoverPort('on the simulator', startTakeoverOnSimulator);
describeLeasePort('in memory', startLeaseInMemory);
describeLeasePort('on the simulator', startLeaseOnSimulator);
describeReaderPort('in memory', startReaderInMemory);
describeReaderPort('on the simulator', startReaderOnSimulator);
describeMaintenancePort('in memory', startMaintenanceInMemory);
describeMaintenancePort('on the simulator', startMaintenanceOnSimulator);
describePausePort('in memory', startPauseInMemory);
describePausePort('on the simulator', startPauseOnSimulator);
