/** Objects that a tree takes for mediasoup's, by the thousand, without a Worker. */
import { EnhancedEventEmitter } from 'mediasoup/extras';
import type { Router, RtpParameters, Worker } from 'mediasoup/types';
import type { ObjectTree } from '../../src/core/objectTree.ts';
import { linkAppData } from '../../src/piping/endpoint.ts';

const unused = async (): Promise<void> => undefined;

const rtpParameters: RtpParameters = { codecs: [] };

export class ImaginaryObject extends EnhancedEventEmitter {
  readonly observer = new EnhancedEventEmitter<Record<string, unknown[]>>();
  closed = false;
  readonly #children: ImaginaryObject[] = [];
  // Nobody calls these, but they are there to be replaced.
  pause = unused;
  resume = unused;
  consume = unused;
  consumeData = unused;

  constructor(properties: object) {
    super();
    Object.assign(this, properties);
  }

  /** @param announcement what its `observer` tells of it */
  contain(child: ImaginaryObject, announcement: string): ImaginaryObject {
    this.#children.push(child);
    // An error in a listener has to be seen.
    this.observer.emit(announcement, child);
    return child;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    for (const child of this.#children) child.close();
    this.observer.safeEmit('close');
  }
}

let next = 1;

export function addRouter(tree: ObjectTree, id: string): ImaginaryObject {
  const router = new ImaginaryObject({ id });
  tree.addRouter(router as unknown as Router, new ImaginaryObject({}) as unknown as Worker, `worker of ${id}`);
  return router;
}

/** @param to the Router to which it is a link */
export function createTransport(router: ImaginaryObject, to?: string): ImaginaryObject {
  const type = to === undefined ? 'direct' : 'pipe';
  return router.contain(
    new ImaginaryObject({ id: `transport ${next++}`, type, appData: to === undefined ? {} : linkAppData(to) }),
    'newtransport',
  );
}

export function produce(transport: ImaginaryObject, id: string): ImaginaryObject {
  return transport.contain(
    new ImaginaryObject({ id, kind: 'audio', rtpParameters, paused: false, score: [] }),
    'newproducer',
  );
}

export function consume(transport: ImaginaryObject, producerId: string): ImaginaryObject {
  const properties = {
    id: `consumer ${next++}`,
    kind: 'audio',
    producerId,
    rtpParameters,
    paused: false,
    producerPaused: false,
    score: { score: 10, producerScore: 0, producerScores: [0] },
  };
  return transport.contain(new ImaginaryObject(properties), 'newconsumer');
}
