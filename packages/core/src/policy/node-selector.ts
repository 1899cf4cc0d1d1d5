// Which nodes a policy speaks for. Empty or missing matches nothing, never everything.

/** One condition on labels. */
export interface LabelRequirement {
  /** The label's key, prefix included. */
  readonly key: string;
  /** `NotIn` and `DoesNotExist` are met by a node without the label. */
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  /** For `In` and `NotIn`. */
  readonly values?: readonly string[];
}

/**
 * Nodes by label, with the meaning of a Kubernetes label selector but for one thing: a selector without any
 * requirement matches *no* node. Say `all: true` to mean every node; with it, requirements still have to be met.
 */
export interface NodeSelector {
  /** Every node that meets the requirements, if there are any. */
  readonly all?: true;
  /** Labels with exactly these values. */
  readonly matchLabels?: Readonly<Record<string, string>>;
  /** All of them must be met. */
  readonly matchExpressions?: readonly LabelRequirement[];
}

/** Whether a node with these labels is selected. */
export function selects(selector: NodeSelector, labels: Readonly<Record<string, string>>): boolean {
  const exact = Object.entries(selector.matchLabels ?? {});
  const expressions = selector.matchExpressions ?? [];
  if (exact.length + expressions.length === 0) return selector.all === true;
  // Own properties only: "constructor" is a label key like any other.
  const labelOf = (key: string): string | undefined => (Object.hasOwn(labels, key) ? labels[key] : undefined);
  return (
    exact.every(([key, value]) => labelOf(key) === value) &&
    expressions.every((requirement) => satisfies(requirement, labelOf(requirement.key)))
  );
}

function satisfies(requirement: LabelRequirement, value: string | undefined): boolean {
  switch (requirement.operator) {
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'In':
      return value !== undefined && (requirement.values ?? []).includes(value);
    case 'NotIn':
      return value === undefined || !(requirement.values ?? []).includes(value);
  }
}
