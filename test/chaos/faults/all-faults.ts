// Every kind of fault that a seed may draw.
import { apiFaults } from './api-faults.ts';
import type { Fault } from './fault.ts';
import { fencerFaults } from './fencer-faults.ts';
import { machineFaults } from './machine-faults.ts';
import { objectFaults } from './object-faults.ts';
import { replicaFaults } from './replica-faults.ts';

export const allFaults: readonly Fault[] = [
  ...machineFaults,
  ...apiFaults,
  ...replicaFaults,
  ...fencerFaults,
  ...objectFaults,
];
