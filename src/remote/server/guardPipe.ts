/** Catches rejections of promises that mediasoup's `pipeToRouter()` does not await, which would end the process. */
import { logger } from '../../core/logger.ts';

const log = logger('server');

type Pairs = { addPipeTransportPair?: (key: string, pair: Promise<unknown>) => void };

interface Pausable {
  pause(): Promise<void>;
  resume(): Promise<void>;
}

const guarded = new WeakSet<object>();

/**
 * Guards the pair of PipeTransports that mediasoup is creating: it does not await that promise if the destination has a
 * pair to the same Router already, which can have failed before.
 * @param options of `pipeToRouter()`, of the right types
 */
export function guardPair(options: unknown): void {
  const router = (options as { router?: Pairs } | undefined)?.router;
  const add = router?.addPipeTransportPair?.bind(router);
  if (!router || !add || guarded.has(router)) return;
  guarded.add(router);
  router.addPipeTransportPair = (key, pair) => {
    pair.catch(error => log.warn('pipeToRouter(): %o', error));
    add(key, pair);
  };
}

/**
 * Guards pause() and resume() of a piped Producer, which mediasoup calls for events of the source without awaiting
 * them: its Worker may close in that moment.
 * @param piped the result of `pipeToRouter()`
 */
export function guardPiped(piped: unknown): void {
  const { pipeProducer } = piped as { pipeProducer?: Pausable };
  if (!pipeProducer) return;
  for (const name of ['pause', 'resume'] as const) {
    const follow = pipeProducer[name].bind(pipeProducer);
    pipeProducer[name] = () => {
      const following = follow();
      following.catch(error => log.warn('%s() of a piped Producer: %o', name, error));
      return following;
    };
  }
}
