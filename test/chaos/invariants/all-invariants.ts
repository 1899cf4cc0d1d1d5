// Everything that must hold in every run.
import { everyHarmIsPrecededByALook } from './every-harm-is-preceded-by-a-look.ts';
import type { Invariant } from './invariant.ts';
import { noSoonerThanAgreed } from './no-sooner-than-agreed.ts';
import { nothingIsAFlood } from './nothing-is-a-flood.ts';
import { nothingIsSilent } from './nothing-is-silent.ts';
import { onRecordBeforeItActs } from './on-record-before-it-acts.ts';
import { oncePerObject } from './once-per-object.ts';
import { oneLeader } from './one-leader.ts';
import { onePodPerIdentity } from './one-pod-per-identity.ts';
import { oneRungAtATime } from './one-rung-at-a-time.ts';
import { oneTakeoverPerDeath } from './one-takeover-per-death.ts';
import { proofMeansProof } from './proof-means-proof.ts';
import { staleEpochsAreRefused } from './stale-epochs-are-refused.ts';
import { theBlindStandStill } from './the-blind-stand-still.ts';
import { theLivingAreLeftAlone } from './the-living-are-left-alone.ts';
import { unreadableRecordsAreLeftAlone } from './unreadable-records-are-left-alone.ts';
import { withinBudget } from './within-budget.ts';
import { writesNeedATerm } from './writes-need-a-term.ts';

export const allInvariants: readonly Invariant[] = [
  oneLeader,
  writesNeedATerm,
  theLivingAreLeftAlone,
  onePodPerIdentity,
  oncePerObject,
  oneTakeoverPerDeath,
  onRecordBeforeItActs,
  withinBudget,
  theBlindStandStill,
  everyHarmIsPrecededByALook,
  proofMeansProof,
  noSoonerThanAgreed,
  oneRungAtATime,
  unreadableRecordsAreLeftAlone,
  nothingIsSilent,
  nothingIsAFlood,
  staleEpochsAreRefused,
];
