import { beforeEach, describe, expect, test } from '@jest/globals';
import { Session, type SessionOptions } from '../../../../src/remote/protocol/session.ts';
import { FakeConnection, said, type FakeSocket } from '../../../helpers/fakeSockets.ts';
import { seededRandom } from '../../../helpers/random.ts';
import { until } from '../../../helpers/until.ts';

class End {
  readonly received: string[] = [];
  readonly errors: string[] = [];
  readonly session: Session<string, string>;

  constructor(options?: SessionOptions<string>) {
    this.session = new Session((message): message is string => typeof message === 'string', options);
    this.session.on('message', message => this.received.push(message));
    this.session.on('error', error => this.errors.push(error.message));
  }
}

let near: End;
let far: End;

beforeEach(() => {
  [near, far] = [new End(), new End()];
});

/** As after a handshake, in which each has told the other how much it has. */
function connect(): FakeConnection {
  const connection = new FakeConnection();
  const [byNear, byFar] = [near.session.received, far.session.received];
  near.session.attach(connection.near, byFar);
  far.session.attach(connection.far, byNear);
  return connection;
}

function cut(): void {
  near.session.detach();
  far.session.detach();
}

describe('a session', () => {
  test('delivers in order, both ways, and what was sent before there was a connection', async () => {
    near.session.send('one');
    const connection = connect();
    near.session.send('two');
    far.session.send('other');
    await connection.deliverAll(near.session, far.session);
    expect([far.received, near.received]).toEqual([['one', 'two'], ['other']]);
    expect(near.session.received).toBe(1);
  });

  test('goes on after a cut: what was lost comes again, what arrived does not', async () => {
    const first = connect();
    for (const message of ['one', 'two', 'three']) {
      near.session.send(message);
      await said();
    }
    first.deliver(first.near);
    cut();
    near.session.send('four');
    await connect().deliverAll(near.session, far.session);
    expect(far.received).toEqual(['one', 'two', 'three', 'four']);
    expect([near.errors, far.errors]).toEqual([[], []]);
  });

  test('holds up what comes next until a message has been dealt with', async () => {
    const connection = connect();
    let end!: () => void;
    far.session.once('message', () => void far.session.holdUp(new Promise(resolve => (end = resolve))));
    for (const message of ['one', 'two', 'three']) near.session.send(message);
    await connection.deliverAll();
    expect([far.received, far.session.received]).toEqual([['one'], 3]);
    end();
    await far.session.untilDelivered();
    expect(far.received).toEqual(['one', 'two', 'three']);
    await said();
  });

  test('acknowledges no faster than it delivers, if it holds back, and the other side sees that it lags behind', async () => {
    far = new End({ holdsBack: true });
    const connection = connect();
    let end!: () => void;
    far.session.once('message', () => void far.session.holdUp(new Promise(resolve => (end = resolve))));
    near.session.send('first');
    near.session.send('second');
    const since = performance.now();
    await until('the second has waited for long', async () => {
      await connection.deliverAll();
      return performance.now() - since > 400;
    });
    // Some was acknowledged before it was late, if the machine was not too busy for that.
    const { delivered } = near.session;
    for (let index = 0; index < 100; ++index) near.session.send(String(index));
    await connection.deliverAll();
    expect([far.session.received, near.session.delivered]).toEqual([102, delivered]);
    expect(near.session.backlog).toBe((102 - delivered) / 20_000);
    expect(near.session.lagMs).toBeGreaterThan(0);
    end();
    await far.session.untilDelivered();
    await connection.deliverAll();
    expect([far.received.length, near.session.delivered, near.session.lagMs]).toEqual([102, 102, 0]);
  });

  test('takes a message that comes twice for one', async () => {
    const { far: socket } = connect();
    socket.receive('message', 1, 0, 'one');
    socket.receive('message', 1, 0, 'one');
    expect([far.received, far.errors]).toEqual([['one'], []]);
  });

  test('hears nothing from a socket that it was detached from', async () => {
    const connection = connect();
    near.session.send('one');
    far.session.detach();
    await connection.deliverAll(near.session, far.session);
    expect(far.received).toEqual([]);
    expect(far.session.isAttachedTo(connection.far)).toBe(false);
  });

  test('tells now and then what has arrived, although it has nothing to say', async () => {
    const connection = connect();
    for (let index = 0; index < 250; ++index) near.session.send(String(index));
    await said();
    while (connection.deliver(connection.near));
    const acknowledged = connection.far.queue.filter(({ event }) => event === 'acknowledge');
    expect(acknowledged.map(({ args }) => args)).toEqual([[100], [200]]);
  });

  test('sends in one packet what is said in one go, as far as the other side takes it', async () => {
    const { near: socket } = connect();
    near.session.maxBatchBytes = 100;
    for (const bytes of [40, 60, 1, 200, 0]) near.session.send(String(bytes), bytes);
    await said();
    expect(socket.queue.map(({ args: [number, , ...messages] }) => [number, ...messages])).toEqual([
      [1, '40', '60'],
      [3, '1'],
      [4, '200'],
      [5, '0'],
    ]);
  });

  test('sends a message that can wait together with the next, or after a moment', async () => {
    const { near: socket } = connect();
    const sent = (): unknown[] => socket.queue.map(({ args: [number, , ...messages] }) => [number, ...messages]);
    near.session.send('can wait', undefined, undefined, true);
    // Nothing is sent at the end of the tick, as a message that can't wait would be.
    await Promise.resolve().then(() => new Promise<void>(resolve => process.nextTick(resolve)));
    expect(sent()).toEqual([]);
    near.session.send('next');
    await said();
    expect(sent()).toEqual([[1, 'can wait', 'next']]);
    near.session.send('alone', undefined, undefined, true);
    await until('the message that waits alone', () => socket.queue.length === 2);
    expect(sent()).toEqual([
      [1, 'can wait', 'next'],
      [3, 'alone'],
    ]);
    near.session.send('cut off', undefined, undefined, true);
    cut();
    await connect().deliverAll(near.session, far.session);
    expect(far.received.at(-1)).toBe('cut off');
  });

  test('forgets what has arrived', async () => {
    const first = connect();
    for (let index = 0; index < 150; ++index) near.session.send(String(index));
    await first.deliverAll(near.session, far.session);
    cut();
    const second = new FakeConnection();
    near.session.attach(second.near, 100);
    expect(second.near.queue.map(({ args: [number, , ...messages] }) => [number, messages.length])).toEqual([
      [101, 50],
    ]);
  });

  test('that is sent in the middle of receiving keeps its order', async () => {
    far.session.on('message', message => far.session.send(`answer to ${message}`));
    const connection = connect();
    near.session.send('one');
    near.session.send('two');
    await connection.deliverAll(near.session, far.session);
    expect(near.received).toEqual(['answer to one', 'answer to two']);
  });
});

test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  'each message arrives once and in order, however often the connection is cut (seed %i)',
  async seed => {
    const random = seededRandom(seed);
    const sent: Record<'near' | 'far', string[]> = { near: [], far: [] };
    let connection: FakeConnection | undefined = connect();
    let cuts = 0;
    for (let step = 0; step < 5000; ++step) {
      const chance = random();
      // Batches of all sizes.
      if (random() < 0.3) await said();
      if (chance < 0.2) {
        sent.near.push(`near ${step}`);
        near.session.send(`near ${step}`);
      } else if (chance < 0.4) {
        sent.far.push(`far ${step}`);
        far.session.send(`far ${step}`);
      } else if (chance < 0.95) {
        connection?.deliver(random() < 0.5 ? connection.near : connection.far);
      } else if (connection) {
        // The two sides do not notice at the same time.
        const [first, second] = random() < 0.5 ? [near, far] : [far, near];
        first.session.detach();
        for (let late = random() * 3; late > 1; --late)
          connection.deliver(second === near ? connection.far : connection.near);
        second.session.detach();
        connection = undefined;
        ++cuts;
      } else {
        connection = connect();
      }
    }
    cut();
    await connect().deliverAll(near.session, far.session);
    expect(cuts).toBeGreaterThan(50);
    expect([near.errors, far.errors]).toEqual([[], []]);
    expect(far.received).toEqual(sent.near);
    expect(near.received).toEqual(sent.far);
  },
);

describe('a session ends, and its connection with it,', () => {
  let socket: FakeSocket;

  beforeEach(() => {
    socket = connect().far;
  });

  test.each([
    ['a malformed message', [1, 0, { not: 'a string' }], /malformed/],
    ['a message without a number', [undefined, 0, 'text'], /came after/],
    ['a number that is not one', ['1', 0, 'text'], /came after/],
    ['a gap', [2, 0, 'text'], /message 2 came after message 0/],
    ['an acknowledgement of what was never sent', [1, 1, 'text'], /never sent/],
    ['an acknowledgement that is not a number', [1, 'all', 'text'], /never sent/],
    ['no acknowledgement', [1, undefined, 'text'], /never sent/],
  ])('with %s', (_what, args, message) => {
    socket.receive('message', ...args);
    expect(far.errors).toEqual([expect.stringMatching(message)]);
    expect([far.received, socket.disconnected]).toEqual([[], true]);
    socket.receive('message', 1, 0, 'too late');
    expect([far.received, far.errors]).toEqual([[], [expect.anything()]]);
  });

  test.each([1, NaN, Infinity, 0.5, null, '0', undefined, {}])('with an acknowledgement of %p', received => {
    socket.receive('acknowledge', received);
    expect(far.errors).toEqual([expect.stringMatching(/never sent/)]);
    expect(socket.disconnected).toBe(true);
  });

  test('at reconnection, if the other side says it has more than was sent', async () => {
    const { near: again } = new FakeConnection();
    near.session.attach(again, 7);
    expect(near.errors).toEqual([expect.stringMatching(/never sent/)]);
    expect([again.disconnected, near.session.isAttachedTo(again)]).toEqual([true, false]);
  });

  test('with the fifth connection that does not carry a message that is waiting', () => {
    far.session.detach();
    far.session.send('poison');
    for (let connections = 0; connections < 5; ++connections) {
      expect(far.errors).toEqual([]);
      connect();
      cut();
    }
    const last = connect();
    expect(far.errors).toEqual([expect.stringMatching(/message 1 was lost with 5 connections/)]);
    expect(last.far.disconnected).toBe(true);
  });

  test('not with the fifth connection, where each carries something', async () => {
    for (let connections = 0; connections < 20; ++connections) {
      far.session.send('one');
      far.session.send('two');
      const connection = connect();
      connection.deliver(connection.far);
      cut();
    }
    expect([far.errors, near.errors]).toEqual([[], []]);
    await connect().deliverAll(near.session, far.session);
    expect([far.errors, near.errors]).toEqual([[], []]);
    expect(near.received).toHaveLength(40);
  });

  test('when too much is waiting for the other side', async () => {
    for (let index = 0; index < 20_000; ++index) far.session.send('x');
    expect(far.errors).toEqual([]);
    far.session.send('x');
    expect(far.errors).toEqual([expect.stringMatching(/too many messages/)]);
    expect(socket.disconnected).toBe(true);
  });
});

test('what is said in one go travels in as few packets as hold its Buffers', async () => {
  const socket = new FakeConnection().near;
  const session = new Session<{ buffers: Buffer[] }, string>(
    (message): message is string => typeof message === 'string',
  );
  session.attach(socket, 0);
  for (const count of [4, 6, 0, 1, 10, 10, 0, 5])
    session.send({ buffers: Array.from({ length: count }, () => Buffer.from('x')) });
  await said();
  const packets = socket.queue.map(({ args: [number, , ...messages] }) => [number, messages.length]);
  expect(packets).toEqual([
    [1, 3],
    [4, 1],
    [5, 1],
    [6, 2],
    [8, 1],
  ]);
});

describe('a side that can tell how things are', () => {
  const isText = (message: unknown): message is string => typeof message === 'string';
  let state: string[];
  let teller: Session<string, string>;
  let heard: string[];
  let hearer: Session<string, string>;
  const errors: string[] = [];

  beforeEach(() => {
    state = ['state one', 'state two', 'state three'];
    heard = [];
    errors.length = 0;
    teller = new Session(isText, {
      recovery: {
        isInSnapshot: message => message.startsWith('event'),
        isEnding: message => message.startsWith('end'),
        snapshot: async () => {
          for (const message of state) teller.send(message);
        },
      },
    });
    hearer = new Session(isText);
    hearer.on('message', message => heard.push(message));
    for (const session of [teller, hearer]) session.on('error', error => errors.push(error.message));
  });

  function meet(): FakeConnection {
    const connection = new FakeConnection();
    teller.attach(connection.near, hearer.received);
    hearer.attach(connection.far, teller.received);
    return connection;
  }

  function part(): void {
    teller.detach();
    hearer.detach();
  }

  function tell(count: number): void {
    for (let index = 0; index < count; ++index) teller.send(`event ${index}`);
  }

  test('keeps the rest, and tells what has ended, how things are, and then the rest', async () => {
    teller.send('before');
    await meet().deliverAll(teller, hearer);
    part();
    tell(10_000);
    teller.send('answer one');
    teller.send('end one');
    tell(10_000);
    teller.send('answer two');
    tell(5);
    teller.send('end two');
    await meet().deliverAll(teller, hearer);
    expect(heard).toEqual(['before', 'end one', 'end two', ...state, 'answer one', 'answer two']);
    teller.send('event after');
    await meet().deliverAll(teller, hearer);
    expect([heard.at(-1), errors]).toEqual(['event after', []]);
  });

  test('goes on where it was cut off in the middle of that', async () => {
    tell(20_001);
    teller.send('answer');
    const first = meet();
    await said();
    first.deliver(first.near);
    part();
    state = ['what is told by events by now'];
    teller.send('event');
    const second = meet();
    second.deliver(second.near);
    part();
    await meet().deliverAll(teller, hearer);
    expect([heard, errors]).toEqual([['state one', 'state two', 'state three', 'answer', 'event'], []]);
  });

  test('does so too where the other side is connected, but too slow', async () => {
    const slow = meet();
    tell(20_001);
    expect(slow.near.disconnected).toBe(true);
    part();
    await meet().deliverAll(teller, hearer);
    expect([heard, errors]).toEqual([state, []]);
  });

  test('keeps no more of the rest than half of what it may keep', () => {
    for (let index = 0; index <= 10_000; ++index) teller.send(`answer ${index}`);
    tell(9_999);
    expect(errors).toEqual([]);
    teller.send('event');
    expect(errors).toEqual([expect.stringMatching(/too many messages/)]);
  });
});
