import { afterEach, expect, test } from '@jest/globals';
import { Decisions } from '../../../src/core/decisions.ts';
import { logger, setLogEventListeners, type LogFacts } from '../../../src/core/logger.ts';

afterEach(() => setLogEventListeners());

test('an application’s listeners get the lines by level, with mediasoup’s namespaces', () => {
  const lines: [level: string, namespace: string, log: string][] = [];
  const noteAs = (level: string) => (namespace: string, log: string) => void lines.push([level, namespace, log]);
  setLogEventListeners({ ondebug: noteAs('debug'), onwarn: noteAs('warn'), onerror: noteAs('error') });
  const log = logger('test');
  log('%s is well again', 'a');
  log.warn('%s is silent for %d s', 'b', 3);
  log.error('a listener threw: %o', new Error('by mistake'));
  expect(lines.slice(0, 2)).toEqual([
    ['debug', 'mafalda:test', 'a is well again'],
    ['warn', 'mafalda:WARN:test', 'b is silent for 3 s'],
  ]);
  expect(lines[2]).toEqual(['error', 'mafalda:ERROR:test', expect.stringContaining('Error: by mistake')]);

  setLogEventListeners({ onerror: noteAs('error') });
  log.warn('unheard');
  setLogEventListeners();
  log.error('unheard');
  expect(lines).toHaveLength(3);
});

test('a listener that throws changes nothing for the library', () => {
  setLogEventListeners({
    onwarn: () => {
      throw new Error('the disk is full');
    },
  });
  expect(() => logger('test').warn('a warning')).not.toThrow();
});

test('a decision is one line of JSON, with its facts, and counted by its reason', () => {
  const lines: [string, string, LogFacts | undefined][] = [];
  setLogEventListeners({ ondebug: (...line) => void lines.push(line as (typeof lines)[number]) });
  const decisions = new Decisions<'used' | 'full'>('placement');
  decisions.note('used', { room: 'room-1', node: 'wss://media-1', ms: 12 });
  decisions.note('used', { room: 'room-2', node: 'wss://media-1', ms: 3 });
  decisions.note('full', { room: 'room-1', node: 'wss://media-2', ms: 5 });
  expect(decisions.counts).toEqual({ used: 2, full: 1 });
  const [namespace, log, facts] = lines[0]!;
  expect(namespace).toBe('mafalda:placement');
  expect(facts).toEqual({ room: 'room-1', node: 'wss://media-1', ms: 12, reason: 'used' });
  expect(JSON.parse(log)).toEqual(facts);
});
