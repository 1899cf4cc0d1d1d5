// What the contract suites run against: anything that a kubeconfig leads to.

/** A cluster under test. */
export interface Target {
  /** The text of a kubeconfig of somebody who may do everything. */
  readonly kubeconfig: string;
  close(): Promise<void>;
}

/** Brings a target up; called once for each suite. */
export type StartTarget = () => Promise<Target>;
