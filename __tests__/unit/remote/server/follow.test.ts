import { describe, expect, jest, test } from '@jest/globals';
import { EnhancedEventEmitter } from 'mediasoup/extras';
import { descriptionOf } from '../../../../src/remote/protocol/classes.ts';
import { follow, unfollow, type Follower } from '../../../../src/remote/server/follow.ts';

class FakeConsumer extends EnhancedEventEmitter<Record<string, unknown[]>> {
  readonly observer = new EnhancedEventEmitter<Record<string, unknown[]>>();
  closed = false;
}

const description = descriptionOf('Consumer');

function newFollower(): Follower & { told: unknown[][] } {
  const told: unknown[][] = [];
  return {
    told,
    onEvent: (name, args) => told.push([name, ...args]),
    onCause: (name, args) => told.push(['cause', name, ...args]),
  };
}

describe('those who show an object', () => {
  test('share its listeners, and hear of events until they leave', () => {
    const consumer = new FakeConsumer();
    const [one, other] = [newFollower(), newFollower()];
    follow(consumer, description, one);
    const listeners = consumer.listenerCount('score');
    follow(consumer, description, other);
    expect(consumer.listenerCount('score')).toBe(listeners);
    consumer.emit('score', { score: 10 });
    consumer.observer.emit('pause');
    unfollow(consumer, description, one);
    consumer.emit('producerclose');
    expect(one.told).toEqual([['score', { score: 10 }], ['pause']]);
    expect(other.told).toEqual([['score', { score: 10 }], ['pause'], ['cause', 'producerclose']]);
    unfollow(consumer, description, other);
    expect([...consumer.eventNames(), ...consumer.observer.eventNames()]).toEqual([]);
  });

  test('of objects of one class have the same listeners', () => {
    const consumers = [new FakeConsumer(), new FakeConsumer()];
    for (const consumer of consumers) follow(consumer, description, newFollower());
    expect(consumers[0]!.listeners('score')).toEqual(consumers[1]!.listeners('score'));
  });

  test('leave one that has closed without taking its listeners away', () => {
    const consumer = new FakeConsumer();
    const follower = newFollower();
    follow(consumer, description, follower);
    const off = jest.spyOn(consumer, 'off');
    consumer.closed = true;
    unfollow(consumer, description, follower);
    consumer.emit('score', {});
    expect(off).not.toHaveBeenCalled();
    expect(follower.told).toEqual([]);
  });
});
