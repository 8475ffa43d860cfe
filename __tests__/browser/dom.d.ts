/**
 * The names of the DOM that playwright-core's types use. With the DOM's own types, the compiler would no longer notice when
 * something that runs in Node.js uses what only browsers have.
 */
interface Node {
  readonly nodeType: number;
}

interface HTMLElement extends Node {
  readonly tagName: string;
}

interface SVGElement extends Node {
  readonly tagName: string;
}

interface HTMLElementTagNameMap {
  readonly html: HTMLElement;
}
