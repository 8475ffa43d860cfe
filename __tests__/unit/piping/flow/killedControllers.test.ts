/** A controller is killed between what it has done to a viewer and what follows for the pipe: whoever is left sees to that. */
import { beforeEach, expect, test } from '@jest/globals';
import { fork, type ChildProcess } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Consumer } from 'mediasoup/types';
import { MafaldaHorizontal } from '../../../../src/index.ts';
import { Camera } from '../../../helpers/camera.ts';
import { closingAfterEach } from '../../../helpers/cleanup.ts';
import { pipesOf } from '../../../helpers/pipes.ts';
import type { ViewerCommand } from '../../../helpers/processes/viewer.ts';
import { mediaCodecs, RtpReceiver } from '../../../helpers/rtp.ts';
import { ServerProcess } from '../../../helpers/serverProcess.ts';
import { until } from '../../../helpers/until.ts';

const opened = closingAfterEach();
const SESSION_TIMEOUT_MS = 2000;
const script = fileURLToPath(new URL('../../../helpers/processes/viewer.ts', import.meta.url));

/** A viewer whose controller is a process of its own, and what it gets, which comes here. */
class ViewerProcess {
  readonly #child: ChildProcess;
  readonly #socket: Socket;
  /** Packets so far. */
  received = 0;

  static async create(producerId: string, urls: string[]): Promise<ViewerProcess> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const child = fork(script, [producerId, String(socket.address().port), ...urls], { execArgv: ['--import', 'tsx'] });
    await once(child, 'message');
    return new ViewerProcess(child, socket);
  }

  private constructor(child: ChildProcess, socket: Socket) {
    this.#child = child;
    this.#socket = socket;
    socket.on('message', packet => {
      const isRtcp = packet[1]! >= 200 && packet[1]! <= 207;
      if (!isRtcp) ++this.received;
    });
  }

  /** Resolves when it is done, or the process has died of it. */
  async tell(command: ViewerCommand): Promise<void> {
    const done = once(this.#child, command.die ? 'exit' : 'message');
    this.#child.send(command);
    await done;
  }

  close(): void {
    this.#socket.close();
    this.#child.kill('SIGKILL');
  }
}

let nodes: [ServerProcess, ServerProcess];
let room: ReturnType<MafaldaHorizontal['createMafaldaRouter']>;
let camera: Camera;
let viewer: ViewerProcess;

/** Where something is created. */
function on(node: 0 | 1): { placement: { node: string } } {
  return { placement: { node: nodes[node].url } };
}

beforeEach(async () => {
  const setup = { sessionTimeout: SESSION_TIMEOUT_MS };
  nodes = [opened(await ServerProcess.create(setup)), opened(await ServerProcess.create(setup))];
  const urls = nodes.map(({ url }) => url);
  const mafalda = opened(new MafaldaHorizontal(urls));
  await once(mafalda, 'connected');
  room = mafalda.createMafaldaRouter({ id: 'room', routerOptions: { mediaCodecs } });
  camera = await Camera.create(room, on(0));
  await until('the camera is on', () => camera.sent > 0);
  viewer = opened(await ViewerProcess.create(camera.producer.id, urls));
  await until('its pipe is there', () => pipesOf(room, camera.producer.id).length === 1);
});

function isAsleep(): boolean {
  return pipesOf(room, camera.producer.id).every(({ paused }) => paused);
}

test('a viewer that it has resumed sees something, now and after it is given up', async () => {
  expect([isAsleep(), viewer.received]).toEqual([true, 0]);
  let pauses = 0;
  (pipesOf(room, camera.producer.id)[0]!.observer as Consumer['observer']).on('pause', () => ++pauses);
  await viewer.tell({ do: 'resume', die: true });
  await until('the viewer sees something', () => viewer.received > 0);
  for (const node of nodes) await until('its session is over', async () => (await node.state()).clients === 1);
  // Media does not wait for the word of it.
  await until('the pipe is known to flow', () => !isAsleep());
  const { received } = viewer;
  await until('it goes on', () => viewer.received > received);
  expect(pauses).toBe(0);
});

test('a pipe that nobody wants any more, since it has paused its viewer, sleeps once it is given up', async () => {
  await viewer.tell({ do: 'resume', die: false });
  const other = await RtpReceiver.create(room, camera.producer.id, on(1));
  await until('both see something', () => viewer.received > 0 && other.received.size > 0);
  await viewer.tell({ do: 'pause', die: true });
  await other.consumer.pause();
  await until('the pipe sleeps', isAsleep);
});
