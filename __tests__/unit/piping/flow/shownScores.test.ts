/** Consumers behind a pipe that sleeps show the scores of the stream, not of the pipe. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { ConsumerScore, ProducerScore } from 'mediasoup/types';
import { ObjectTree } from '../../../../src/core/objectTree.ts';
import { ShownScores } from '../../../../src/piping/flow/shownScores.ts';
import { Streams } from '../../../../src/piping/streams.ts';
import { addRouter, createTransport, ImaginaryObject } from '../../../helpers/imaginaryObjects.ts';

const ID = 'camera';

class ImaginaryProducer extends ImaginaryObject {
  score: ProducerScore[] = [];

  /** Its Worker tells the scores of all layers. */
  tell(...scores: number[]): void {
    this.score = scores.map((score, encodingIdx) => ({ encodingIdx, score, ssrc: encodingIdx + 1 }));
    this.observer.safeEmit('score', this.score);
  }
}

/** As mediasoup's: its class has the property, and tells of each change itself first, and then by its observer. */
class ImaginaryConsumer extends ImaginaryObject {
  readonly producerId = ID;
  currentLayers: { spatialLayer: number } | undefined;
  #score: ConsumerScore;

  constructor(properties: object, layers: number) {
    super(properties);
    this.#score = { score: 10, producerScore: 0, producerScores: Array.from({ length: layers }, () => 0) };
  }

  get score(): ConsumerScore {
    return this.#score;
  }

  /** Its Worker tells. */
  tell(producerScore: number, ...producerScores: number[]): void {
    this.#score = { score: 10, producerScore, producerScores };
    this.safeEmit('score', this.#score);
    this.observer.safeEmit('score', this.#score);
  }
}

let next = 1;
let tree: ObjectTree;
let near: ImaginaryObject;
let far: ImaginaryObject;
let producer: ImaginaryProducer;
let scores: ShownScores;
let asleep: boolean;
const unseen = new Set<string>();

beforeEach(() => {
  tree = new ObjectTree();
  const streams = new Streams(tree);
  asleep = true;
  unseen.clear();
  scores = new ShownScores({
    tree,
    streams,
    isAsleep: (_, { id }) => asleep && id === 'far',
    mayBeSeen: id => !unseen.has(id),
  });
  [near, far] = [addRouter(tree, 'near'), addRouter(tree, 'far')];
  producer = new ImaginaryProducer({ id: ID, kind: 'video', paused: false });
  createTransport(near).contain(producer, 'newproducer');
  createTransport(far, 'near').contain(new ImaginaryProducer({ id: ID, kind: 'video', paused: false }), 'newproducer');
});

function consume(
  router: ImaginaryObject,
  layers = 3,
): { consumer: ImaginaryConsumer; told: unknown[]; observed: unknown[] } {
  const consumer = new ImaginaryConsumer(
    { id: `consumer ${next++}`, kind: 'video', type: layers > 1 ? 'simulcast' : 'simple' },
    layers,
  );
  createTransport(router).contain(consumer, 'newconsumer');
  const [told, observed]: [unknown[], unknown[]] = [[], []];
  consumer.on('score', score => told.push(score));
  consumer.observer.on('score', score => observed.push(score));
  return { consumer, told, observed };
}

const scoreOf = (producerScore: number, ...producerScores: number[]): ConsumerScore => ({
  score: 10,
  producerScore,
  producerScores,
});

function sleep(sleeps: boolean): void {
  asleep = sleeps;
  scores.pipeChanged(ID);
}

describe('behind a pipe that sleeps', () => {
  test('a Consumer shows the publisher’s scores from its beginning', () => {
    producer.tell(9, 8, 7);
    const { consumer, told } = consume(far);
    expect([consumer.score, told]).toEqual([scoreOf(0, 9, 8, 7), []]);
  });

  test('it tells of theirs, once to each, and not of its Worker’s that hears nothing', () => {
    producer.tell(9, 8, 7);
    const { consumer, told, observed } = consume(far);
    consumer.tell(0, 0, 0, 0);
    expect(told).toEqual([]);
    producer.tell(9, 8, 0);
    producer.tell(9, 8, 0);
    const expected = [scoreOf(0, 9, 8, 0)];
    expect([told, observed, consumer.score]).toEqual([expected, expected, expected[0]]);
  });

  test('what it gives away is not what it goes by', () => {
    producer.tell(9, 8, 7);
    const { consumer, told } = consume(far);
    consumer.score.producerScores.length = 0;
    producer.tell(1, 1, 1);
    (told[0] as ConsumerScore).producerScores.length = 0;
    expect(consumer.score).toEqual(scoreOf(0, 1, 1, 1));
  });

  test('a Consumer whose pipe has an end that is never in sight is left as it is', () => {
    unseen.add('near');
    producer.tell(9, 8, 7);
    const { consumer, told } = consume(far);
    expect(Object.hasOwn(consumer, 'score')).toBe(false);
    consumer.tell(0, 0, 0, 0);
    producer.tell(1, 1, 1);
    expect([consumer.score, told]).toEqual([scoreOf(0, 0, 0, 0), [scoreOf(0, 0, 0, 0)]]);
  });

  test('a Consumer of a single stream shows its one score', () => {
    producer.tell(6);
    const { consumer } = consume(far, 1);
    expect(consumer.score).toEqual(scoreOf(6, 6));
  });
});

describe('a pipe that has slept', () => {
  test('has its own scores again layer by layer, as its Worker hears them', () => {
    producer.tell(10, 10, 10);
    const { consumer, told } = consume(far);
    consumer.currentLayers = { spatialLayer: 2 };
    sleep(false);
    consumer.tell(0, 5, 0, 0);
    expect(consumer.score).toEqual(scoreOf(10, 5, 10, 10));
    consumer.tell(4, 5, 0, 4);
    expect(consumer.score).toEqual(scoreOf(4, 5, 10, 4));
    consumer.tell(4, 5, 6, 4);
    expect(consumer.score).toEqual(scoreOf(4, 5, 6, 4));
    const { length } = told;
    // From here on it is its Worker's own, whatever it says, also the same again.
    consumer.tell(4, 5, 6, 4);
    producer.tell(1, 1, 1);
    consumer.tell(0, 0, 0, 0);
    expect(told.slice(length)).toEqual([scoreOf(4, 5, 6, 4), scoreOf(0, 0, 0, 0)]);
  });

  test('shows the publisher’s once it sleeps again, without a word if they are the same', () => {
    producer.tell(10, 10, 10);
    const { consumer, told } = consume(far);
    consumer.currentLayers = { spatialLayer: 0 };
    sleep(false);
    consumer.tell(10, 10, 10, 10);
    const { length } = told;
    sleep(true);
    consumer.tell(0, 0, 0, 0);
    expect([consumer.score, told.slice(length)]).toEqual([scoreOf(10, 10, 10, 10), []]);
  });
});

test('in the Router of its publisher a Consumer has its own Worker’s scores', () => {
  producer.tell(9, 9, 9);
  const { consumer, told } = consume(near);
  consumer.tell(1, 2, 3, 4);
  consumer.tell(1, 2, 3, 4);
  expect([consumer.score, told.length, Object.hasOwn(consumer, 'score')]).toEqual([scoreOf(1, 2, 3, 4), 2, false]);
});

test('where the publisher is out of sight, its own Worker’s are the best that there are', () => {
  const { consumer, told } = consume(far);
  near.close();
  consumer.tell(1, 2, 3, 4);
  expect([consumer.score, told]).toEqual([scoreOf(1, 2, 3, 4), [scoreOf(1, 2, 3, 4)]]);
});

test('a Consumer that has closed is told nothing more', () => {
  const { consumer, told } = consume(far);
  consumer.close();
  producer.tell(1, 1, 1);
  sleep(false);
  expect(told).toEqual([]);
});

describe('where a machine of a cluster has a view of its own, in the same process', () => {
  test('the cluster’s view is shown, and the machine’s again when the Consumer leaves the cluster', () => {
    producer.tell(9, 8, 7);
    // The machine does not see the publisher.
    const machine = new ObjectTree();
    new ShownScores({ tree: machine, streams: new Streams(machine), isAsleep: () => false, mayBeSeen: () => true });
    const own = addRouter(machine, 'far');
    const ends = new ImaginaryProducer({ id: ID, kind: 'video', paused: false });
    createTransport(own, 'near').contain(ends, 'newproducer');
    const { consumer, told, observed } = consume(own);
    const cluster = new ObjectTree();
    const streams = new Streams(cluster);
    const wider = new ShownScores({
      tree: cluster,
      streams,
      isAsleep: (_, { id }) => asleep && id === 'far',
      mayBeSeen: () => true,
    });
    cluster.include(tree);
    cluster.include(machine);
    expect(consumer.score).toEqual(scoreOf(0, 9, 8, 7));
    consumer.tell(0, 0, 0, 0);
    expect(told).toEqual([]);
    asleep = false;
    wider.pipeChanged(ID);
    consumer.tell(10, 10, 10, 10);
    expect([told, observed]).toEqual([[scoreOf(10, 10, 10, 10)], [scoreOf(10, 10, 10, 10)]]);

    cluster.exclude(machine);
    // The machine's own view is up to date again.
    expect(consumer.score).toEqual(scoreOf(10, 10, 10, 10));
    consumer.tell(5, 5, 5, 5);
    expect(consumer.score).toEqual(scoreOf(5, 5, 5, 5));
    expect(told.at(-1)).toEqual(scoreOf(5, 5, 5, 5));
    expect(told).toEqual(observed);
  });
});
