// Names what one fencer says of one node, wherever that is kept. Pure.

/** Neither name has a blank in it. */
export function checkKey(node: string, fencer: string): string {
  return `${node} ${fencer}`;
}

/** Of the node that is asked about. */
export function nodeInKey(key: string): string {
  return key.slice(0, key.indexOf(' '));
}
