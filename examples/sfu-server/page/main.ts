/** The page: from joining to leaving, and what to do when the connection comes and goes. */
import type { MediaKind } from 'mediasoup-client/types';
import { io } from 'socket.io-client';
import { Call, type PageSocket } from './call.ts';
import { hideForm, offerToJoin, showForm } from './joinForm.ts';
import { messageOf, openMedia } from './media.ts';
import { announce, clearNews, tell } from './notices.ts';

const section = document.querySelector<HTMLElement>('#call')!;
const title = document.querySelector<HTMLElement>('#call-title')!;
const place = document.querySelector<HTMLElement>('#place')!;
const state = document.querySelector<HTMLElement>('#state')!;
const mediaProblem = document.querySelector<HTMLElement>('#media-problem')!;
const switches = { audio: switchOf('audio'), video: switchOf('video') };

const ALONE = 'Nobody else is here yet. Open this address in a second window.';
const UNSENT = 'Until it is back, nothing of your camera and microphone is sent.';
/** How long a server that is gone is waited for, before camera and microphone are given back. */
const PATIENCE_MS = 30_000;

offerToJoin((room, name) => {
  start(room, name).catch((error: unknown) => endCall(messageOf(error)));
});

/** From joining to leaving, across all losses in between. */
async function start(room: string, name: string): Promise<void> {
  const { stream, problem = '' } = await openMedia();
  const leaving = new AbortController();
  const socket: PageSocket = io();
  let call: Call | undefined;
  let givingUp: ReturnType<typeof setTimeout> | undefined;
  /** Words of the server when it ended. */
  let lastWords = '';

  function enter(): void {
    call?.close();
    const entered = new Call(socket, stream, {
      // With a new connection, the server begins anew as well.
      onBroken: () => socket.disconnect().connect(),
      onPeersChanged: count => showState(count > 0 ? '' : ALONE),
    });
    call = entered;
    entered.join(room, name).catch((error: unknown) => {
      if (call === entered && socket.connected) leave(messageOf(error));
    });
  }

  /** @param why if it is not the person who wants to leave */
  function leave(why?: string): void {
    leaving.abort();
    clearTimeout(givingUp);
    socket.disconnect();
    call?.close();
    for (const track of stream.getTracks()) track.stop();
    endCall(why);
  }

  /** Nothing is sent any more, nobody is there, and the page says so until that has changed. */
  function onLost(): void {
    clearNews();
    call?.close();
    call = undefined;
    for (const track of stream.getTracks()) track.enabled = false;
    showState(`The connection to the server is lost${lastWords && `: ${lastWords}`}. Trying again… ${UNSENT}`, true);
    givingUp ??= setTimeout(
      () => leave(`You are out of the room: the server has been gone for ${PATIENCE_MS / 1000} s.`),
      PATIENCE_MS,
    );
  }

  socket.on('connect', () => {
    clearTimeout(givingUp);
    givingUp = undefined;
    lastWords = '';
    for (const track of stream.getTracks()) track.enabled = isOn(track.kind as MediaKind);
    showState('Joining…');
    enter();
  });
  socket.on('connect_error', onLost);
  socket.on('disconnect', reason => {
    if (reason === 'io client disconnect') return;
    onLost();
    // The server has closed it on purpose, which socket.io takes for final.
    if (reason === 'io server disconnect') socket.connect();
  });
  socket.on('ended', reason => (lastWords = reason));
  socket.on('rejoin', () => {
    tell('A media server is gone: joining again on the others.');
    enter();
  });
  socket.on('peerJoined', peer => {
    call?.addPeer(peer);
    announce(`${peer.name} has joined.`);
  });
  socket.on('peerLeft', peerId => {
    const left = call?.removePeer(peerId);
    if (left) announce(`${left} has left.`);
  });
  socket.on('producerAdded', (peerId, producer) => call?.addProducer(peerId, producer));
  socket.on('producerPaused', (...pausing) => call?.setPeerPaused(...pausing));
  socket.on('consumerClosed', (...closed) => call?.receiveAgain(...closed));

  for (const kind of ['audio', 'video'] as const)
    offerSwitch(kind, stream, problem, leaving.signal, async paused => call?.setPaused(kind, paused));
  document.querySelector('#leave')!.addEventListener('click', () => leave(), { signal: leaving.signal });
  beginCall(room, problem);
}

function beginCall(room: string, problem: string): void {
  hideForm();
  title.textContent = `Call in the room “${room}”`;
  place.textContent = `in the room “${room}”`;
  place.hidden = false;
  section.hidden = false;
  showState('Joining…');
  mediaProblem.textContent = problem;
  title.focus();
}

/** @param why if it is not the person who wanted to leave */
function endCall(why?: string): void {
  section.hidden = true;
  place.hidden = true;
  showState('');
  showForm(why);
}

/** State of the call as a whole, in words; empty when others are to be seen. */
function showState(text: string, isProblem = false): void {
  if (state.textContent !== text) state.textContent = text;
  state.classList.toggle('lost', isProblem);
}

function switchOf(kind: MediaKind): HTMLButtonElement {
  return document.querySelector<HTMLButtonElement>(`#${kind}`)!;
}

function isOn(kind: MediaKind): boolean {
  return switches[kind].ariaPressed === 'true';
}

/** The button of the camera or the microphone. */
function offerSwitch(
  kind: MediaKind,
  stream: MediaStream,
  problem: string,
  signal: AbortSignal,
  setPaused: (paused: boolean) => Promise<void>,
): void {
  const button = switches[kind];
  const isThere = stream.getTracks().some(track => track.kind === kind);
  button.disabled = !isThere;
  button.ariaPressed = String(isThere);
  button.addEventListener(
    'click',
    () => {
      button.ariaPressed = String(!isOn(kind));
      setPaused(!isOn(kind)).then(
        () => (mediaProblem.textContent = problem),
        (error: unknown) => (mediaProblem.textContent = `The others may not know of it: ${messageOf(error)}`),
      );
    },
    { signal },
  );
}
