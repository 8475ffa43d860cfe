import { expect, test } from '@jest/globals';
import { EnhancedEventEmitter } from 'mediasoup/extras';
import { listen } from '../../../src/core/listen.ts';

type Events = { come: [name: string]; go: [] };

test('each event reaches its listener, until they are removed', () => {
  const emitter = new EnhancedEventEmitter<Events>();
  const heard: string[] = [];
  const stop = listen<Events>(emitter, { come: name => heard.push(name), go: () => heard.push('gone') });
  emitter.emit('come', 'alice');
  emitter.emit('go');
  expect(heard).toEqual(['alice', 'gone']);
  stop();
  emitter.emit('come', 'bob');
  expect(heard).toEqual(['alice', 'gone']);
  expect(emitter.eventNames()).toEqual([]);
});

test('the compiler refuses a table that lacks an event', () => {
  // @ts-expect-error there is no listener of `go`
  listen<Events>(new EnhancedEventEmitter<Events>(), { come: () => undefined });
});
