// What the contract of the API is tested on: anything that a kubeconfig leads to.

/** A cluster under test. */
export interface ApiTarget {
  /** The text of a kubeconfig of somebody who may do everything. */
  readonly kubeconfig: string;
  /** Somebody who is known and may do next to nothing. */
  readonly stranger: { readonly user: string; readonly kubeconfig: string };
  /** Brings the server to forget the changes up to now, as real ones do with time or when they restart. */
  forgetHistory(): Promise<void>;
  close(): Promise<void>;
}
