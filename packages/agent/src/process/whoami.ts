// Who is at the keyboard, for whoever wonders later. Not who the cluster thinks it is.
import { hostname, userInfo } from 'node:os';

/** `alice@laptop` */
export function whoami(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    // A user without an entry in the password file, as in many containers.
    return hostname();
  }
}
