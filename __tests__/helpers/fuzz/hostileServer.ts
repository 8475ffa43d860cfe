/** Messages that no well-behaved server sends, chosen by a seeded generator so that they can be sent again. */
import { mafaldaErrors } from '../../../src/api/errors.ts';
import { classes, descriptionOf, type ClassName } from '../../../src/remote/protocol/classes.ts';
import { membersOf } from '../../../src/remote/protocol/describe.ts';
import { stateTypes } from '../../../src/remote/protocol/validateServer.ts';
import { hostileValue, pick, spoil, type Known } from './hostileClient.ts';

type Random = () => number;
type Wire = Record<string, unknown>;

export interface Call {
  id: number;
  target: unknown;
  method: string;
}

const load = {
  load: 5,
  workers: [
    { id: 'w:1', cpu: 1, routers: 1, transports: 1, producers: 0, consumers: 0, dataProducers: 0, dataConsumers: 0 },
  ],
  hosts: [{ cores: 2, cpu: 3, memory: { total: 8e9, free: 4e9 } }],
  draining: false,
};

/** The first word of a server, which is right. */
export function welcome(version: string): Wire {
  return {
    ...{
      protocol: 1,
      maxPayload: 1_000_000,
      sessionTimeout: 5000,
      loadInterval: 1000,
      serverId: 'hostile-server',
      region: 'here',
      labels: { a: 'b' },
    },
    mediasoup: { version, workerBin: '/worker', supportedRtpCapabilities: { codecs: [], headerExtensions: [] } },
    session: { id: 'session', received: 0 },
  };
}

/** Engine.IO's first packet. */
export const handshake = { sid: 'x', upgrades: [], pingInterval: 25_000, pingTimeout: 20_000, maxPayload: 1_000_000 };

export function hostileHandshake(random: Random): string {
  return `0${JSON.stringify(spoil(random, handshake))}`;
}

export function hostileWelcome(random: Random, version: string): unknown {
  return spoil(random, { ...welcome(version), maxLoad: 80 });
}

export function hostileReport(random: Random): unknown {
  return random() < 0.3 ? load : spoil(random, load);
}

type StateType = (typeof stateTypes)[keyof typeof stateTypes];

const values: Record<StateType, unknown> = {
  text: 'text',
  number: 4711,
  flag: false,
  object: { codecs: [], localAddress: '127.0.0.1', localPort: 4 },
  list: [],
  score: [],
};

/** All properties of a class, as they should be. */
function stateOf(className: ClassName): Wire {
  const types: Readonly<Record<string, StateType>> = stateTypes;
  const names = membersOf(descriptionOf(className), 'fixed', 'changing');
  return Object.fromEntries(names.map(name => [name, values[types[name]!]]));
}

/** A server that tells of more and more, mostly as it should. */
export class HostileTeller {
  readonly #random: Random;
  readonly #known: Known[] = [];
  #nextHandle = 1;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Returns a message that is sent before the answer to a call: a right answer has something to refer to. */
  message(calls: Call[]): unknown {
    const random = this.#random;
    const chance = random();
    const right = this.#right(calls);
    if (chance < 0.93) return right;
    return chance < 0.99 ? spoil(random, right) : hostileValue(random);
  }

  #right(calls: Call[]): Wire {
    const random = this.#random;
    const chance = random();
    const call = calls.shift();
    const handle =
      this.#known.length > 0 && random() < 0.9 ? pick(random, this.#known).handle : pick(random, [1, 2, 1e9, -1, 0.5]);
    if (call && chance < 0.7) {
      const expected = this.#known.findLast(
        ({ className }) =>
          call.method.includes(className) || call.method.includes('roduce') || call.method.includes('onsume'),
      );
      const result = pick<unknown>(random, [
        expected && { $ref: expected.handle },
        { $ref: handle },
        undefined,
        null,
        5,
        [],
        {},
        hostileFinding(random),
        hostileValue(random),
      ]);
      return {
        type: 'answer',
        id: call.id,
        result,
        load: pick<unknown>(random, [1, 50, -1e308, '5', null, undefined, NaN]),
      };
    }
    if (call && chance < 0.8)
      return {
        type: 'failure',
        id: call.id,
        error: {
          name: pick(random, ['TypeError', 'LimitError', 'x']),
          message: 'no',
          code: pick<unknown>(random, [...Object.keys(mafaldaErrors), '__proto__', 5]),
          fields: pick<unknown>(random, [
            { max: 3, limit: 'x', causes: { a: { name: 'x', message: 'y' } } },
            { load: 90, maxLoad: 80, node: 'x', method: 'x', reason: 'x', permanent: false },
            { load: {}, maxLoad: '80', node: 5, method: [], reason: null, permanent: 'no', causes: [null], cause: 5 },
          ]),
        },
      };
    if (chance < 0.6 || this.#known.length < 3) return this.#add();
    const className = this.#known.find(known => known.handle === handle)?.className ?? 'Worker';
    const { events, closedBy } = descriptionOf(className);
    const name = pick(random, [...Object.keys(events), '__proto__', 'error', 'newListener', 'listenererror', '@close']);
    return pick<() => Wire>(random, [
      () => ({
        type: 'event',
        handle,
        name,
        args: [pick<unknown>(random, [{}, [], { $ref: handle }, undefined, 'x', 5])],
        changes: spoilable(random, stateOf(className)),
      }),
      () => ({ type: 'change', handle, changes: spoilable(random, stateOf(className)) }),
      () => ({
        type: 'close',
        handle,
        cause: pick<unknown>(random, [
          undefined,
          { name: pick(random, [...closedBy, 'error', 'close']) },
          { name: 'died', error: { name: 'Error', message: 'x' } },
        ]),
      }),
      () => ({ type: 'forget', handle }),
      () => ({
        type: 'list',
        slot: pick(random, [0, 1, 127]),
        list: [spoilable(random, { uri: 'urn:mid', id: 1, parameters: {} })],
      }),
      () => ({ type: 'disown', handles: pick(random, [[], [handle], this.#known.map(known => known.handle)]) }),
      () => ({ type: 'closeMafaldaRouter', mafaldaRouter: pick(random, ['room', 'other', '__proto__', '']) }),
      () => ({
        type: 'heldRooms',
        ids: ['room', '__proto__', ''],
        isFirst: random() < 0.5,
        isLast: random() < 0.5,
      }),
      () => ({ type: pick(random, ['held', 'released']), ids: ['room', `${Math.floor(random() * 1e6)}`] }),
      () => ({ type: pick(random, ['call', 'constructor', '__proto__', 'send']), handle }),
    ])();
  }

  /** Returns messages of one kind, each of which is as it may be, but for their number. */
  flood(): Wire[] {
    const random = this.#random;
    const handles = this.#known.map(({ handle }) => handle);
    const kind = pick<(index: number) => Wire>(random, [
      () => ({ type: 'disown', handles }),
      () => ({ type: 'disown', handles: Array.from({ length: 100 }, (_, at) => 1e6 + at) }),
      index => ({ type: 'held', ids: [`room ${index}`, 'room'] }),
      () => ({ type: 'released', ids: ['room'] }),
      index => ({ type: 'heldRooms', ids: [`room ${index}`], isFirst: index === 0, isLast: false }),
      index => ({ type: 'heldRooms', ids: [`room ${index}`], isFirst: true, isLast: true }),
    ]);
    return Array.from({ length: 50 }, (_, index) => kind(index));
  }

  #add(): Wire {
    const random = this.#random;
    const className = this.#known.length === 0 ? 'SharedWorker' : pick(random, Object.keys(classes) as ClassName[]);
    const parents = descriptionOf(className).parents;
    const parent =
      random() < 0.9 ? this.#known.findLast(known => parents.includes(known.className)) : this.#known.at(-1);
    const isNew = random() < 0.9;
    const handle = isNew ? this.#nextHandle++ : pick(random, [1, 2, 3, -1]);
    if (isNew) this.#known.push({ handle, className });
    const state = stateOf(className);
    const addition = {
      handle,
      className,
      id: `${className} ${handle}`,
      parent: parents.length === 0 ? undefined : parent?.handle,
      appData: pick<unknown>(random, [{}, { a: 1 }, null]),
      state,
      key: random() < 0.8 ? undefined : pick(random, ['a key', 'the same for all', '__proto__', 'k'.repeat(200)]),
    };
    return {
      type: 'add',
      mafaldaRouter: className === 'Worker' || className === 'WebRtcServer' ? undefined : 'room',
      addition,
    };
  }
}

/** Answers to a question for a MafaldaRouter, right or nearly so. */
function hostileFinding(random: Random): unknown {
  const right = { isComplete: random() < 0.5, number: pick(random, [1, 2]), routerOptions: { mediaCodecs: [] } };
  return random() < 0.5 ? right : spoil(random, right);
}

function spoilable(random: Random, state: Wire): unknown {
  return random() < 0.5 ? state : spoil(random, state);
}

/** Packets of Engine.IO and socket.io that are wrong by themselves. */
const packets = [
  ...[
    '',
    '0',
    '0{',
    '0{}',
    '0null',
    '0[]',
    '0{"sid":1,"pingInterval":1e308,"pingTimeout":1e308,"upgrades":[],"maxPayload":1}',
    '1',
    '2',
    '2probe',
    '3',
    '5',
    '6',
    '7',
    'b',
    'bAAAA',
  ],
  ...[
    '4',
    '40',
    '40{}',
    '40[]',
    '40null',
    '40{"sid":{}}',
    '41',
    '43',
    '431[]',
    '4399999[]',
    '43["x"]',
    '44',
    '44"x"',
    '44{"message":{"toString":1}}',
    '44{"message":null,"data":{"permanent":1}}',
    '44{}',
    '45',
    '49',
  ],
  ...[
    '42',
    '42{}',
    '42[]',
    '42[null]',
    '42[1]',
    '42["connect"]',
    '42["disconnect"]',
    '42["welcome"]',
    '42["welcome",null]',
    '42["welcome",{}]',
    '42["load"]',
    '42["load",null]',
    '42["load",{"load":-1e308}]',
  ],
  ...[
    '42["refused"]',
    '42["refused",{"toString":1}]',
    '42["refused","x"]',
    '42["goodbye"]',
    '42["goodbye",{"toString":1}]',
    '421["goodbye"]',
    '43["moved"]',
    '42["message"]',
    '42["message",1]',
    '42["message",1,0,null]',
    '42["message",{},[],{}]',
    '42["acknowledge"]',
    '42["acknowledge",1e9]',
    '421["message",1,0]',
  ],
  ...[
    '450-["message"]',
    '451-["message",1,0,{"_placeholder":true,"num":0}]',
    '451-["x",{"_placeholder":true,"num":9}]',
    '459999999-["x"]',
    '45-1-["x"]',
    '460-[]',
  ],
  `42["message",1,0,${'['.repeat(50_000)}${']'.repeat(50_000)}]`,
  `42["message",1,0,{"type":"add","addition":{"handle":1,"className":"SharedWorker","id":"x","state":${'{"pid":'.repeat(50_000)}1${'}'.repeat(50_000)}},"mafaldaRouter":"room"}]`,
  `451-["message",1,0,${'['.repeat(50_000)}${']'.repeat(50_000)}]`,
];

export function hostilePacket(random: Random): string {
  const text = pick(random, packets);
  return random() < 0.8 ? text : text.slice(0, Math.floor(random() * text.length));
}
