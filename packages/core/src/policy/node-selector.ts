// Which nodes a policy speaks for. Empty or missing matches nothing, never everything.

export interface LabelRequirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  /** For `In` and `NotIn`. */
  readonly values?: readonly string[];
}

/**
 * Nodes by label, with the meaning of a Kubernetes label selector but for one thing: a selector without any
 * requirement matches *no* node. Say `all: true` to mean every node.
 */
export interface NodeSelector {
  readonly all?: true;
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly LabelRequirement[];
}

export function selects(selector: NodeSelector, labels: Readonly<Record<string, string>>): boolean {
  if (selector.all === true) return true;
  const exact = Object.entries(selector.matchLabels ?? {});
  const expressions = selector.matchExpressions ?? [];
  if (exact.length + expressions.length === 0) return false;
  return (
    exact.every(([key, value]) => labels[key] === value) &&
    expressions.every((requirement) => satisfies(requirement, labels[requirement.key]))
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
