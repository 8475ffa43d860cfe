/**
 * How long a viewer waits for the first decoded frame, in Chromium, with a camera that the browser makes up: `npm run bench:first-frame [views [ways]]`, where
 * ways is a list of their names, such as "two servers,two tiers". With a list nothing is written.
 *
 * The ways alternate in one run, a few views at a time, everything on the loopback address: both Transports on one Router; on two Routers of two
 * Workers, with mediasoup's own `pipeToRouter()`; on two Workers of a Mafalda; on two servers; on two servers behind two tiers; these over a link that has
 * to be made, and over one that is connected already, since an audio stream holds it. The viewer's Transport is connected. Measured is from the call
 * of `consume()`, `resume()` or `setPreferredLayers()` on the server to the moment when Chromium has decoded a frame (the first, the first again, the
 * first of the larger layer). Writes the table and the picture of docs/decisions/sleeping-pipes.md.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';
import type { Consumer, ConsumerLayers, RtpCapabilities, WebRtcTransport } from 'mediasoup/types';
import { openBrowser, type Browsing } from './browser.ts';
import { draw } from '../draw.ts';
import { openWays, routerRtpCapabilities, type Way } from './ways.ts';

/** For each situation and way. */
const VIEWS = Number(process.argv[2] ?? 20);
/** Views in a row, before it is another way's turn. */
const VIEWS_IN_TURN = 5;
const VIEWERS = 10;
const LATER_MS = 50;
/** Longer than Chromium is deaf to requests for a key frame after one, and than a pipe takes to fall asleep. */
const REST_MS = 380;
const FRAME_TIMEOUT_MS = 8000;
const WIDE = 640;
/** The p95 of the same server, times this, is what a pipe may take. */
const BOUND = 1.5;
const SLOWEST_SHOWN = 6;
/** Until Chromium sends both layers. */
const SIMULCAST_STARTS_MS = 4000;

const times = new Map<string, Map<string, number[]>>();

function note(what: string, way: Way, ms: number): void {
  const ofWhat = times.get(what) ?? new Map<string, number[]>();
  times.set(what, ofWhat);
  ofWhat.set(way.name, [...(ofWhat.get(way.name) ?? []), ms]);
}

const now = (): number => performance.timeOrigin + performance.now();
const rest = (ms = REST_MS): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));

class Run {
  readonly #way: Way;
  readonly #browsing: Browsing;
  readonly #rtpCapabilities: RtpCapabilities;
  readonly #sender: WebRtcTransport;
  readonly #receivers: WebRtcTransport[] = [];

  static async open(way: Way, browsing: Browsing, rtpCapabilities: RtpCapabilities): Promise<Run> {
    const run = new Run(way, browsing, rtpCapabilities, await way.sender());
    await browsing.publisher.open('send', run.#sender);
    for (let count = 0; count < VIEWERS; ++count) run.#receivers.push(await run.#receiver());
    return run;
  }

  private constructor(way: Way, browsing: Browsing, rtpCapabilities: RtpCapabilities, sender: WebRtcTransport) {
    this.#way = way;
    this.#browsing = browsing;
    this.#rtpCapabilities = rtpCapabilities;
    this.#sender = sender;
  }

  async turn(views: number): Promise<void> {
    const { publisher } = this.#browsing;
    const [receiver] = this.#receivers as [WebRtcTransport];
    const publish = (what: string): Promise<string> => publisher.call<string>('publish', this.#sender.id, what);
    const audio = await publish('audio');
    const listening = this.#way.connected ? await this.#view(receiver, audio) : undefined;
    const video = await publish('video');
    for (let view = 0; view < views; ++view) await this.#single(receiver, video);
    for (let view = 0; view < views; ++view) await this.#crowd(video);
    await publisher.call('unpublish', video);
    const simulcast = await publish('simulcast');
    await rest(SIMULCAST_STARTS_MS);
    for (let view = 0; view < views; ++view) await this.#layered(receiver, simulcast);
    await publisher.call('unpublish', simulcast);
    if (listening) await this.#leave(listening);
    await publisher.call('unpublish', audio);
    await this.#cold();
  }

  async #single(receiver: WebRtcTransport, video: string): Promise<void> {
    await this.#cold();
    const { consumer, ms } = await this.#first(receiver, video, true);
    note('paused at first', this.#way, ms);
    await consumer.pause();
    await rest();
    note('viewer resumes', this.#way, await this.#again(consumer, () => consumer.resume()));
    await this.#leave(consumer);
  }

  async #layered(receiver: WebRtcTransport, simulcast: string): Promise<void> {
    await this.#cold();
    const { consumer, ms } = await this.#first(receiver, simulcast, true);
    note('paused at first, simulcast', this.#way, ms);
    // A link must be a while old before its estimate of the bandwidth lets the larger one through.
    await this.#again(consumer, () => consumer.setPreferredLayers({ spatialLayer: 1 }), WIDE);
    await consumer.setPreferredLayers({ spatialLayer: 0 });
    await rest();
    note(
      'larger layer',
      this.#way,
      await this.#again(consumer, () => consumer.setPreferredLayers({ spatialLayer: 1 }), WIDE),
    );
    await this.#leave(consumer);

    await this.#cold();
    const larger = await this.#first(receiver, simulcast, true, { spatialLayer: 1 });
    note('larger layer preferred from the beginning', this.#way, larger.ms);
    await this.#leave(larger.consumer);

    await this.#cold();
    const unpaused = await this.#first(receiver, simulcast, false);
    note('not paused, simulcast', this.#way, unpaused.ms);
    await this.#leave(unpaused.consumer);
  }

  /** One that is connected: by a stream that is as near as can be, and that nobody sends. */
  async #receiver(): Promise<WebRtcTransport> {
    const receiver = await this.#way.receiver();
    await this.#browsing.viewer.open('recv', receiver);
    const codecs = [{ mimeType: 'audio/opus', payloadType: 111, clockRate: 48000, channels: 2 }];
    const nobody = await receiver.produce({
      kind: 'audio',
      rtpParameters: { mid: 'nobody', codecs, encodings: [{ ssrc: 1111 }] },
    });
    await this.#view(receiver, nobody.id);
    return receiver;
  }

  /** No pipe is left; nor a link, unless something else holds it. */
  async #cold(): Promise<void> {
    if (!this.#way.connected) for (const link of this.#way.links()) link.close();
    await rest();
    for (let waited = 0; !this.#way.connected && this.#way.links().length > 0 && waited < 5000; waited += 50)
      await rest(50);
  }

  async #consume(
    receiver: WebRtcTransport,
    producerId: string,
    paused: boolean,
    preferredLayers?: ConsumerLayers,
  ): Promise<Consumer> {
    return receiver.consume({ producerId, rtpCapabilities: this.#rtpCapabilities, paused, preferredLayers });
  }

  async #view(receiver: WebRtcTransport, producerId: string): Promise<Consumer> {
    const consumer = await this.#consume(receiver, producerId, false);
    await this.#show(receiver, consumer);
    return consumer;
  }

  async #show(receiver: WebRtcTransport, { id, producerId, kind, rtpParameters }: Consumer): Promise<void> {
    await this.#browsing.viewer.call('view', receiver.id, { id, producerId, kind, rtpParameters });
  }

  /** @param preferredLayers then it is the first frame of these that counts, which are the largest */
  async #first(
    receiver: WebRtcTransport,
    producerId: string,
    paused: boolean,
    preferredLayers?: ConsumerLayers,
  ): Promise<{ consumer: Consumer; ms: number }> {
    const began = now();
    await this.#way.bring?.(producerId);
    const consumer = await this.#consume(receiver, producerId, paused, preferredLayers);
    await this.#show(receiver, consumer);
    const frame = this.#frame(consumer, preferredLayers ? WIDE : 0);
    if (paused) await consumer.resume();
    return { consumer, ms: (await frame) - began };
  }

  async #again(consumer: Consumer, act: () => Promise<void>, width = 0): Promise<number> {
    const frame = this.#frame(consumer, width);
    const began = now();
    await act();
    return (await frame) - began;
  }

  /** One, not paused at first, and a little later others. */
  async #crowd(producerId: string): Promise<void> {
    await this.#cold();
    const [first, ...others] = this.#receivers;
    const consumers = [this.#first(first!, producerId, false)];
    await rest(LATER_MS);
    consumers.push(...others.map(receiver => this.#first(receiver, producerId, true)));
    const seen = await Promise.all(consumers);
    for (const [index, what] of [
      [0, 'not paused'],
      [1, '2nd'],
      [2, '3rd'],
      [VIEWERS - 1, '10th'],
    ] as const) {
      note(index === 0 ? what : `${what} viewer, ${LATER_MS} ms later`, this.#way, seen[index]!.ms);
    }
    await this.#whilePublisherPauses(seen[0]!.consumer);
    for (const { consumer } of seen) await this.#leave(consumer);
  }

  async #whilePublisherPauses(consumer: Consumer): Promise<void> {
    const producer = this.#browsing.producers.get(consumer.producerId)!;
    await producer.pause();
    await rest();
    note('publisher resumes', this.#way, await this.#again(consumer, () => producer.resume()));
  }

  /** One that never comes counts as if it had come then. */
  async #frame({ id }: Consumer, width = 0): Promise<number> {
    const frame = this.#browsing.viewer.call<number>('frame', id, width);
    return Promise.race([frame, rest(FRAME_TIMEOUT_MS).then(now)]);
  }

  async #leave(consumer: Consumer): Promise<void> {
    await this.#browsing.viewer.call('leave', consumer.id);
    consumer.close();
  }
}

function percentile(list: readonly number[], part: number): number {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)]!;
}

interface Row {
  what: string;
  cells: { way: string; p50: number; p95: number; ratio: number }[];
}

function table(ways: readonly Way[]): Row[] {
  const [base] = ways;
  return [...times].map(([what, ofWhat]) => {
    const baseline = percentile(ofWhat.get(base!.name)!, 0.95);
    const cells = ways.map(({ name }) => {
      const list = ofWhat.get(name) ?? [];
      const [p50, p95] = [percentile(list, 0.5), percentile(list, 0.95)];
      return { way: name, p50, p95, ratio: p95 / baseline };
    });
    return { what, cells };
  });
}

/** The 95th percentile of few views is one of them: the others tell whether it stands alone. */
function slowest(what: string, way: string): string {
  const list = times.get(what)?.get(way) ?? [];
  const sorted = [...list].sort((a, b) => b - a);
  return `slowest ${sorted
    .slice(0, SLOWEST_SHOWN)
    .map(ms => ms.toFixed(0))
    .join(' ')}`;
}

function labelOf({ p50, p95, ratio }: Row['cells'][number]): string {
  return `${p50.toFixed(0)} / ${p95.toFixed(0)} (${ratio.toFixed(2)})`;
}

function withTable(text: string, summary: string, rows: readonly Row[]): string {
  const [begin, end] = ['<!-- measured: npm run bench:first-frame -->', '<!-- end of what is measured -->'];
  const heads = rows[0]?.cells.map(({ way }) => way) ?? [];
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const lines = [
    line(['', ...heads]),
    line(['', ...heads].map(() => '---')),
    ...rows.map(({ what, cells }) => line([what, ...cells.map(labelOf)])),
  ];
  const [before, after] = [text.indexOf(begin), text.indexOf(end)];
  if (before < 0 || after < before) throw new Error('the page has no place for the table');
  return `${text.slice(0, before)}${begin}\n\n${summary}\n\n${lines.join('\n')}\n\n${text.slice(after)}`;
}

const load = loadavg()[0]!.toFixed(1);
const browsing = await openBrowser();
const wanted = process.argv[3]?.split(',');
const [same, ...others] = await openWays();
const ways: [Way, ...Way[]] = [same, ...others.filter(({ name }) => wanted?.includes(name) ?? true)];
const rtpCapabilities = await browsing.viewer.call<RtpCapabilities>('load', routerRtpCapabilities);
await browsing.publisher.call('load', routerRtpCapabilities);
const runs: Run[] = [];
for (const way of ways) runs.push(await Run.open(way, browsing, rtpCapabilities));
// The first views of each way run code that the process has never run, and are not counted.
for (const run of runs) await run.turn(1);
times.clear();
for (let done = 0; done < VIEWS; done += VIEWS_IN_TURN) {
  for (const run of runs) await run.turn(Math.min(VIEWS_IN_TURN, VIEWS - done));
  console.error(`${Math.min(done + VIEWS_IN_TURN, VIEWS)} of ${VIEWS} views`);
}
const rows = table(ways);
const summary = `${VIEWS} views of each, ${availableParallelism()} cores, load ${load} before and ${loadavg()[0]!.toFixed(1)} in the last minute. Milliseconds p50 / p95, and p95 to that of the same server.`;
console.log(summary);
console.table(
  Object.fromEntries(
    rows.map(({ what, cells }) => [what, Object.fromEntries(cells.map(cell => [cell.way, labelOf(cell)]))]),
  ),
);
const above = rows.flatMap(({ what, cells }) =>
  cells
    .filter(({ way, ratio }) => way !== 'pipeToRouter()' && ratio > BOUND)
    .map(
      ({ way, ratio }) =>
        `${what}, ${way}: ${ratio.toFixed(2)}; ${slowest(what, way)}, ${slowest(what, same.name)} on the ${same.name}`,
    ),
);
console.log(
  above.length === 0
    ? `All are within ${BOUND} times the same server.`
    : `Above ${BOUND} times the same server:\n  ${above.join('\n  ')}`,
);
if (!wanted) await write();
await browsing.close();
for (const way of [same, ...others]) await way.close();

async function write(): Promise<void> {
  const page = new URL('../../docs/decisions/sleeping-pipes.md', import.meta.url);
  await writeFile(page, withTable(await readFile(page, 'utf8'), summary, rows));
  await writeFile(
    new URL('../../docs/images/first-frame.svg', import.meta.url),
    draw(
      rows.map(({ what, cells }) => ({
        what,
        bars: cells.map(({ way, p50, p95 }) => ({
          way,
          value: p50,
          upTo: p95,
          label: `${p50.toFixed(0)} / ${p95.toFixed(0)}`,
        })),
      })),
      {
        title: 'Time to the first decoded frame, ms: bars p50, lines p95',
        max: 1400,
        left: 240,
        ways: ways.map(({ name }) => name),
      },
    ),
  );
}
