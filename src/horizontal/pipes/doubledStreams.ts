/**
 * Streams that exist twice: two applications have produced under one id on two sides of a partition, or in the same
 * moment. The older one stays, and whoever has made the younger one closes it, as soon as both are in sight.
 */
import type { DataProducer, Producer } from 'mediasoup/types';
import { DuplicateIdError } from '../../api/errors.ts';
import { GraceTimers } from '../../core/graceTimers.ts';
import { Groups } from '../../core/groups.ts';
import type { ObjectTree, TreeNode } from '../../core/objectTree.ts';
import { producedAt } from '../../core/producedAt.ts';
import { isLinkTransport } from '../../piping/endpoint.ts';

/** Time after which both are judged, in ms: an old one whose end is on its way here is no second one. */
const JUDGED_AFTER_MS = 2000;

export interface DoubledStreamsOptions {
  /** Tree of the MafaldaRouter, which is watched for as long as it lives. */
  tree: ObjectTree;
  /** Returns whether this controller has made the object. */
  isOwn: (object: object) => boolean;
  /** Called when a stream of this controller's has closed, since there is an older one. */
  onClosed: (error: DuplicateIdError) => void;
}

type Origin = TreeNode<'producer'> | TreeNode<'dataProducer'>;

export class DoubledStreams {
  readonly #options: DoubledStreamsOptions;
  readonly #origins = new Groups<Origin>();
  readonly #timers: GraceTimers<string>;

  constructor(options: DoubledStreamsOptions, judgedAfterMs = JUDGED_AFTER_MS) {
    this.#options = options;
    this.#timers = new GraceTimers(judgedAfterMs, id => this.#judge(id));
    options.tree.on('add', node => this.#added(node)).on('remove', node => this.#removed(node));
  }

  close(): void {
    this.#timers.clear();
  }

  #added(node: TreeNode): void {
    if (!isOrigin(node)) return;
    const isDoubled = this.#origins.has(node.id, '');
    this.#origins.add(node.id, '', node);
    if (isDoubled) this.#timers.start(node.id);
  }

  #removed(node: TreeNode): void {
    if (isOrigin(node)) this.#origins.delete(node.id, '', node);
  }

  #judge(id: string): void {
    const { isOwn, onClosed } = this.#options;
    const [oldest, ...others] = [...this.#origins.of(id, '')].sort(byAge);
    for (const { object, parent } of others) {
      if (!oldest || !parent || !isOwn(parent.object)) continue;
      object.close();
      const kind = 'kind' in object ? 'Producer' : 'DataProducer';
      const message = `a ${kind} with same id "${id}" already exists, and is older: produce under another id`;
      onClosed(new DuplicateIdError(message, { id }));
    }
  }
}

function isOrigin(node: TreeNode): node is Origin {
  const { type, parent } = node;
  return (
    (type === 'producer' || type === 'dataProducer') && parent?.type === 'transport' && !isLinkTransport(parent.object)
  );
}

/** Sorts the older first; for equal times by the Routers' ids, so that all who see both agree. */
function byAge(one: Origin, other: Origin): number {
  return ageOf(one.object) - ageOf(other.object) || (routerOf(one) < routerOf(other) ? -1 : 1);
}

/** A stream of unknown age counts as older than all others. */
function ageOf(producer: Producer | DataProducer): number {
  return producedAt(producer) ?? 0;
}

function routerOf({ parent }: Origin): string {
  return parent?.parent?.id ?? '';
}
