/** mediasoup's `pipeToRouter()` starts what it does not wait for: where that fails, it must not end the process. */
import { logger } from '../../core/logger.ts';

const log = logger('server');

type Pairs = { addPipeTransportPair?: (key: string, pair: Promise<unknown>) => void };

interface Pausable {
  pause(): Promise<void>;
  resume(): Promise<void>;
}

const guarded = new WeakSet<object>();

/**
 * Where the destination has a pair of PipeTransports to the same Router already, which can have failed before, mediasoup
 * forgets the one that it is just creating.
 * @param options of `pipeToRouter()`, of the right types
 */
export function guardPair(options: unknown): void {
  const router = (options as { router?: Pairs } | undefined)?.router;
  const add = router?.addPipeTransportPair?.bind(router);
  if (!router || !add || guarded.has(router)) return;
  guarded.add(router);
  router.addPipeTransportPair = (key, pair) => {
    pair.catch(error => log('pipeToRouter(): %o', error));
    add(key, pair);
  };
}

/**
 * A piped Producer follows its source without anybody waiting: its Worker may close in that moment.
 * @param piped the result of `pipeToRouter()`
 */
export function guardPiped(piped: unknown): void {
  const { pipeProducer } = piped as { pipeProducer?: Pausable };
  if (!pipeProducer) return;
  for (const name of ['pause', 'resume'] as const) {
    const follow = pipeProducer[name].bind(pipeProducer);
    pipeProducer[name] = () => {
      const following = follow();
      following.catch(error => log('%s() of a piped Producer: %o', name, error));
      return following;
    };
  }
}
