/** The tiles: one for everybody in the room, with the way that their sound and picture takes. */
import type { MediaKind } from 'mediasoup-client/types';
import { layOut } from './grid.ts';
import { allowPlayback } from './notices.ts';

const grid = document.querySelector<HTMLElement>('#tiles')!;
const template = document.querySelector<HTMLTemplateElement>('#tile')!;

export class Tile {
  readonly #element: HTMLElement;
  readonly #stream = new MediaStream();
  readonly #paused = new Set<MediaKind>();

  constructor(name: string, isOneself: boolean) {
    const { firstElementChild } = template.content.cloneNode(true) as DocumentFragment;
    this.#element = firstElementChild as HTMLElement;
    this.#element.dataset['peer'] = name;
    this.#element.classList.toggle('oneself', isOneself);
    this.#element.ariaLabel = isOneself ? `${name} (you)` : name;
    this.#find('.name').textContent = isOneself ? `${name} (you)` : name;
    this.#find('.initial').textContent = [...name][0]!.toUpperCase();
    this.#video.ariaLabel = isOneself ? 'Your own picture' : `Picture of ${name}`;
    this.#video.srcObject = this.#stream;
    this.#video.muted = isOneself;
    this.#show();
    grid.append(this.#element);
    layOut();
  }

  /** One sound and one picture: a new one takes the place of the old one. */
  addTrack(track: MediaStreamTrack): void {
    for (const old of this.#stream.getTracks()) if (old.kind === track.kind) this.#stream.removeTrack(old);
    this.#stream.addTrack(track);
    this.showProblem('');
    this.#show();
    // Without a click on the page, browsers may refuse to play sound.
    this.#video.play().catch((error: unknown) => {
      if (error instanceof DOMException && error.name === 'NotAllowedError') allowPlayback(() => this.#video.play());
    });
  }

  setPaused(kind: MediaKind, paused: boolean): void {
    if (paused) this.#paused.add(kind);
    else this.#paused.delete(kind);
    this.#show();
  }

  /** @param parts what lies on the way, and what is in between; those that are servers are drawn as such */
  showPath(...parts: string[]): void {
    const path = this.#find('.path');
    path.replaceChildren(...parts.flatMap(part => [toElement(part), ' ']));
    // A tile may be too small for all of it.
    path.title = parts.join(' ');
  }

  /** Shows what is wrong with this person's sound or picture; an empty text: nothing is. */
  showProblem(problem: string): void {
    this.#find('.problem').textContent = problem;
  }

  remove(): void {
    this.#video.srcObject = null;
    this.#element.remove();
    layOut();
  }

  get #video(): HTMLVideoElement {
    return this.#element.querySelector('video')!;
  }

  #find(selector: string): HTMLElement {
    return this.#element.querySelector<HTMLElement>(selector)!;
  }

  #show(): void {
    const hasPicture = this.#stream.getVideoTracks().length > 0 && !this.#paused.has('video');
    this.#element.classList.toggle('no-picture', !hasPicture);
    this.#find('.muted').hidden = !this.#paused.has('audio');
  }
}

function toElement(part: string): HTMLElement {
  const element = document.createElement('span');
  element.textContent = part;
  const [, number] = /^server (\d+)$/.exec(part) ?? [];
  if (number) {
    element.className = 'server';
    element.style.setProperty('--hue', String(Number(number) * 137));
  }
  return element;
}
