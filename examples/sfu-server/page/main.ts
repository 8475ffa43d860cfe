/** The page: who wants to join which room, and what to do when the connection comes and goes. */
import type { MediaKind } from 'mediasoup-client/types';
import { io } from 'socket.io-client';
import { Call, type PageSocket } from './call.ts';
import { messageOf, openMedia } from './media.ts';
import { tell } from './notices.ts';

const form = document.querySelector<HTMLFormElement>('#join')!;
const section = document.querySelector<HTMLElement>('#call')!;
const place = document.querySelector<HTMLElement>('#place')!;

const fields = {
  name: form.querySelector<HTMLInputElement>('[name=name]')!,
  room: form.querySelector<HTMLInputElement>('[name=room]')!,
};

const query = new URLSearchParams(location.search);
for (const [name, field] of Object.entries(fields)) field.value = query.get(name) ?? field.value;

form.addEventListener('submit', event => {
  event.preventDefault();
  const [room, name] = [fields.room.value.trim(), fields.name.value.trim()];
  // This address is the one to send to others.
  if (!query.has('name')) history.replaceState(null, '', `?${new URLSearchParams({ room }).toString()}`);
  start(room, name).catch((error: unknown) => tell(messageOf(error)));
});

if (query.get('room') && query.get('name')) form.requestSubmit();

/** From joining to leaving, across all losses in between. */
async function start(room: string, name: string): Promise<void> {
  form.hidden = true;
  const { stream, problem } = await openMedia();
  if (problem) tell(problem);
  const leaving = new AbortController();
  const socket: PageSocket = io();
  let call: Call | undefined;

  function enter(): void {
    call?.close();
    // With a new connection, the server begins anew as well.
    const entered = new Call(socket, stream, () => socket.disconnect().connect());
    call = entered;
    entered.join(room, name).catch((error: unknown) => {
      if (call !== entered || !socket.connected) return;
      tell(messageOf(error));
      leave();
    });
  }

  function leave(): void {
    leaving.abort();
    socket.disconnect();
    call?.close();
    for (const track of stream.getTracks()) track.stop();
    showCall(false);
  }

  socket.on('connect', enter);
  socket.on('disconnect', reason => {
    call?.close();
    if (reason !== 'io client disconnect') tell('The connection to the server is lost. Trying again…');
  });
  socket.on('rejoin', () => {
    tell('A media server is gone: joining again on the others.');
    enter();
  });
  socket.on('peerJoined', peer => call?.addPeer(peer));
  socket.on('peerLeft', peerId => call?.removePeer(peerId));
  socket.on('producerAdded', (peerId, producer) => call?.addProducer(peerId, producer));
  socket.on('producerPaused', (...pausing) => call?.setPeerPaused(...pausing));
  socket.on('consumerClosed', (...closed) => call?.receiveAgain(...closed));

  for (const kind of ['audio', 'video'] as const)
    offerSwitch(kind, stream, leaving.signal, paused => call?.setPaused(kind, paused));
  document.querySelector('#leave')!.addEventListener('click', leave, { signal: leaving.signal });
  place.textContent = `in the room “${room}”`;
  showCall(true);
}

function showCall(isShown: boolean): void {
  form.hidden = isShown;
  section.hidden = !isShown;
  place.hidden = !isShown;
}

/** The button of the camera or the microphone. */
function offerSwitch(
  kind: MediaKind,
  stream: MediaStream,
  signal: AbortSignal,
  setPaused: (paused: boolean) => Promise<void> | undefined,
): void {
  const button = document.querySelector<HTMLButtonElement>(`#${kind}`)!;
  const isThere = stream.getTracks().some(track => track.kind === kind);
  button.disabled = !isThere;
  button.ariaPressed = String(isThere);
  button.addEventListener(
    'click',
    () => {
      const isOn = button.ariaPressed === 'true';
      button.ariaPressed = String(!isOn);
      setPaused(isOn)?.catch((error: unknown) => tell(messageOf(error)));
    },
    { signal },
  );
}
