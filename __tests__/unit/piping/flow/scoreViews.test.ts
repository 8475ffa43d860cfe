import { expect, test } from '@jest/globals';
import type { Consumer, ConsumerScore } from 'mediasoup/types';
import { hide, show, tellScore, toldScore, viewOf, type ScoreView } from '../../../../src/piping/flow/scoreViews.ts';
import { ImaginaryObject } from '../../../helpers/imaginaryObjects.ts';

const scoreOf = (producerScore: number): ConsumerScore => ({
  score: 10,
  producerScore,
  producerScores: [producerScore],
});

/** As mediasoup's, whose class has the property. */
class OfClass extends ImaginaryObject {
  get score(): ConsumerScore {
    return scoreOf(1);
  }
}

const consumerOfClass = (): Consumer => new OfClass({}) as unknown as Consumer;
/** As in another implementation of mediasoup's API. */
const consumerOfItsOwn = (): Consumer => new ImaginaryObject({ score: scoreOf(1) }) as unknown as Consumer;

function viewFor(consumer: Consumer): ScoreView & { told: number; shows: number } {
  const view = {
    consumer,
    lastShown: scoreOf(7),
    told: 0,
    shows: 0,
    onTold: () => void ++view.told,
    onShow: () => void ++view.shows,
  };
  return view;
}

test.each([
  ['of its class', consumerOfClass],
  ['of its own', consumerOfItsOwn],
])('a Consumer with a score %s shows the view, and its own again afterwards', (_, make) => {
  const consumer = make();
  const heard: unknown[] = [];
  for (const emitter of [consumer, consumer.observer]) emitter.on('score', score => void heard.push(score));
  const before = [consumer, consumer.observer].map(object => Object.getOwnPropertyDescriptors(object));
  const view = viewFor(consumer);
  show(view);
  expect([consumer.score, toldScore(consumer), viewOf(consumer), view.shows]).toEqual([
    scoreOf(7),
    scoreOf(1),
    view,
    1,
  ]);
  expect(consumer.score).not.toBe(view.lastShown);
  for (const emitter of [consumer, consumer.observer]) expect(emitter.safeEmit('score', scoreOf(2))).toBe(true);
  expect([view.told, heard]).toEqual([1, []]);
  tellScore(consumer, scoreOf(3));
  expect(heard).toEqual([scoreOf(3), scoreOf(3)]);
  expect(heard[0]).not.toBe(heard[1]);

  const wider = viewFor(consumer);
  show(wider);
  consumer.safeEmit('score', scoreOf(2));
  expect([view.told, wider.told, viewOf(consumer)]).toEqual([1, 1, wider]);
  hide(wider);
  expect([consumer, consumer.observer].map(object => Object.getOwnPropertyDescriptors(object))).toEqual(before);
  expect([consumer.score, viewOf(consumer)]).toEqual([scoreOf(1), undefined]);
  consumer.safeEmit('score', scoreOf(4));
  expect([wider.told, heard.at(-1)]).toEqual([1, scoreOf(4)]);
});

test('other events pass', () => {
  const consumer = consumerOfClass();
  show(viewFor(consumer));
  const heard: unknown[] = [];
  consumer.on('producerpause', () => heard.push('consumer'));
  consumer.observer.on('pause', () => heard.push('observer'));
  expect([consumer.safeEmit('producerpause'), consumer.observer.safeEmit('pause')]).toEqual([true, true]);
  expect(heard).toEqual(['consumer', 'observer']);
  expect(consumer.safeEmit('producerresume')).toBe(false);
});

test('all Consumers share the members that replace theirs', () => {
  const descriptors = [consumerOfClass(), consumerOfClass()].map(consumer => {
    show(viewFor(consumer));
    return { ...Object.getOwnPropertyDescriptor(consumer, 'score') };
  });
  expect(descriptors[0]).toHaveProperty('get');
  expect(descriptors[0]).toEqual(descriptors[1]);
});
