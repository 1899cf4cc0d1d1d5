// One log line for each thing that a controller tells: a sentence for people, fields for machines.
import {
  type Clock,
  type ConfirmationChange,
  type Controller,
  type DecisionChange,
  type FenceChecked,
  type HealthChange,
  holdReasons,
  type LeadershipChange,
  type ObservedTakeover,
  type OmittedEvents,
  type ReturnProgress,
  type SightChange,
  systemClock,
  type TakeoverProgress,
  type TroubleChange,
  type UnreadableRecord,
  whatFails,
  whyIgnored,
} from '@liberator/core';
import { formatDuration } from '../text/duration.ts';
import { errorLog } from './error-log.ts';
import type { Logger, LogLevel } from './logger.ts';
import { counted, Repetition, timesOf } from './repetition.ts';

type Told = Pick<Controller, 'on' | 'ready'>;

export function logController(controller: Told, logger: Logger, clock: Clock = systemClock): void {
  const repeated = new Repetition();
  const lines = new ControllerLog(logger, clock, repeated);
  controller.on('health', (change) => lines.health(change));
  controller.on('decision', (change) => lines.decision(change));
  controller.on('observed', (takeover) => lines.observed(takeover));
  controller.on('takeover', (progress) => lines.takeover(progress));
  controller.on('setAside', (record) => lines.setAside(record));
  controller.on('return', (progress) => lines.returned(progress));
  controller.on('trouble', (change) => lines.trouble(change));
  controller.on('confirmation', (change) => lines.confirmation(change));
  controller.on('fenceCheck', (checked) => lines.fenceCheck(checked));
  controller.on('omitted', (events) => lines.omitted(events));
  controller.on('leadership', (change) => lines.leadership(change));
  controller.on('error', errorLog(logger, clock, repeated));
  let ready = false;
  controller.on('sight', (change) => {
    if (!ready && controller.ready) {
      ready = true;
      lines.ready();
    }
    lines.sight(change);
  });
}

const healthLevels: Readonly<Record<HealthChange['to'], LogLevel>> = {
  alive: 'info',
  returning: 'info',
  suspect: 'warn',
  dead: 'warn',
};

/** What a fence came to, and on whose word. */
function proofFields({ proof, fencer, proofEvidence }: TakeoverProgress['record']): object {
  return {
    ...(proof !== undefined && { proof }),
    ...(fencer !== undefined && { fencer }),
    ...(proofEvidence !== undefined && { evidence: proofEvidence }),
  };
}

class ControllerLog {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #repeated: Repetition;

  constructor(logger: Logger, clock: Clock, repeated: Repetition) {
    this.#logger = logger;
    this.#clock = clock;
    this.#repeated = repeated;
  }

  ready(): void {
    this.#logger.log('info', { event: 'ready' }, 'ready: every cache is filled');
  }

  health({ node, uid, from, to, assessment }: HealthChange): void {
    const { evidence, reasons, hostUp } = assessment;
    const fields = { event: 'health', node, uid, from, to, evidence, reasons, hostUp } as const;
    const why = reasons.length === 0 ? '' : `: ${reasons.join(', ')}`;
    this.#logger.log(healthLevels[to], fields, `${node} is ${to}${why}`);
  }

  decision({ node, uid, deathId, decision }: DecisionChange): void {
    const { action } = decision;
    const reasons = holdReasons(decision);
    const fields = { event: 'decision', node, uid, deathId, action, reasons } as const;
    if (action === 'act') this.#logger.log('warn', fields, `taking over ${node}: no guard holds it`);
    else this.#logger.log('warn', fields, `not taking over ${node}: ${reasons.join('; ')}`);
  }

  observed({ node, uid, deathId, policy, reasons }: ObservedTakeover): void {
    const fields = { event: 'observed', node, uid, deathId, policy, reasons } as const;
    const sentence = `${node} would be taken over by policy ${policy}, were this not observing only: ${reasons.join(', ')}`;
    this.#logger.log('warn', fields, sentence);
  }

  returned({ record, node, move, detail }: ReturnProgress): void {
    const fields = { event: 'return', node, takeover: record.id, move, detail } as const;
    const words = {
      restore: `${node} registered anew, put back ${detail}`,
      admit: `${node} is no longer out of service: ${detail}`,
      replace: `${node} is another machine now, and nothing is put back: ${detail}`,
      quarantine: `${node} came back and is in quarantine: ${detail}`,
      'give-storage-back': `storage is given back to ${node}: ${detail}`,
      welcome: `${node} is trusted again: ${detail}`,
    };
    this.#logger.log(move === 'quarantine' ? 'warn' : 'info', fields, words[move]);
  }

  setAside({ name, node, kind, problem }: UnreadableRecord): void {
    const fields = {
      event: 'record-set-aside',
      record: name,
      kind,
      ...(node !== undefined && { node }),
    } as const;
    this.#logger.log('warn', fields, `record ${name} is set aside, and left as it is: ${problem}`);
  }

  takeover({ record, step, phase, detail }: TakeoverProgress): void {
    const { id, deathId, epoch, result, openedAt, closedAt } = record;
    const node = record.node.name;
    const closed = step === 'close' && phase === 'done' && result !== undefined && closedAt !== undefined;
    const fields = {
      event: 'takeover',
      node,
      takeover: id,
      deathId,
      step,
      phase,
      epoch,
      ...(detail !== '' && { detail }),
      ...(step === 'fence' && phase === 'done' && proofFields(record)),
      ...(closed && { result, durationMs: Date.parse(closedAt) - Date.parse(openedAt) }),
    } as const;
    if (closed) {
      const took = formatDuration(fields.durationMs ?? 0);
      const level = result === 'incomplete' ? 'warn' : 'info';
      this.#logger.log(level, fields, `takeover ${id} of ${node} ended after ${took}: ${result}`);
      return;
    }
    const sentence = `takeover ${id} of ${node}: ${step} ${phase}${detail === '' ? '' : `: ${detail}`}`;
    const level = phase === 'retrying' ? 'warn' : 'info';
    const repeats = phase === 'retrying' || phase === 'waiting';
    const times = repeats ? this.#repeated.countToTell(sentence, this.#clock.now()) : 1;
    if (times > 0) this.#logger.log(level, { ...fields, ...counted(times) }, sentence + timesOf(times));
  }

  trouble({ node, uid, act, tries, detail, over }: TroubleChange): void {
    const fields = { event: 'trouble', node, uid, act, tries, detail, over } as const;
    if (over) this.#logger.log('info', fields, `${node}: ${whatFails(act)} fails no longer`);
    else
      this.#logger.log(
        'warn',
        fields,
        `${node}: ${whatFails(act)} failed ${tries} times in a row: ${detail}`,
      );
  }

  confirmation(ignored: ConfirmationChange): void {
    const fields = { event: 'confirmation', ...ignored } as const;
    this.#logger.log('warn', fields, `${ignored.node}: ${whyIgnored(ignored)}`);
  }

  fenceCheck({ node, uid, policy, fencer, check, news, quiet }: FenceChecked): void {
    const { outcome, machine, power, mayAct, detail, evidence } = check;
    const fields = {
      event: 'fence-check',
      node,
      uid,
      policy,
      fencer,
      outcome,
      machine,
      power,
      mayAct,
      detail,
      ...(evidence && { evidence }),
    } as const;
    if (news === undefined || quiet === true) {
      this.#logger.log('debug', fields, `${node}: fencer ${fencer} is ${outcome}: ${detail}`);
    } else if (news === 'failing') {
      const sentence = `${node}: fencer ${fencer} could not fence it if it died now: ${detail}`;
      this.#logger.log('warn', fields, sentence);
    } else {
      this.#logger.log('info', fields, `${node}: fencer ${fencer} could fence it again: ${detail}`);
    }
  }

  omitted({ count, nodes, causes }: OmittedEvents): void {
    const fields = { event: 'omitted', count, nodes, causes } as const;
    const words = { 'node-limit': 'too many about one node', full: 'too many at once', failed: 'not taken' };
    const why = (['node-limit', 'full', 'failed'] as const)
      .filter((cause) => causes[cause] > 0)
      .map((cause) => `${causes[cause]} ${words[cause]}`);
    const sentence = `left out ${count} Kubernetes Events about ${nodes} nodes: ${why.join(', ')}`;
    this.#logger.log('warn', fields, sentence);
  }

  leadership({ identity, leader, epoch, handedOver }: LeadershipChange): void {
    const leading = leader === identity;
    const fields = {
      event: 'leadership',
      leader,
      leading,
      ...(epoch !== undefined && { epoch }),
      ...(handedOver !== undefined && { handedOver }),
    } as const;
    const sentence =
      handedOver !== undefined
        ? `leading no more: ${handedOver}`
        : leading
          ? `leading in epoch ${epoch}`
          : leader === ''
            ? 'nobody leads'
            : `${leader} leads`;
    this.#logger.log('info', fields, sentence);
  }

  sight({ blind }: SightChange): void {
    const fields = { event: 'sight', blind } as const;
    if (blind.length === 0) this.#logger.log('info', fields, 'seeing: decisions may be made');
    else this.#logger.log('warn', fields, `blind, so nothing is decided: ${blind.join('; ')}`);
  }
}
