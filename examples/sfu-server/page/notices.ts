/** Messages on top of the page: news, which go by themselves, and problems, which stay until somebody closes them. */

/** A problem is something that the person may have to act upon. */
export type Level = 'news' | 'problem';

const lists: Record<Level, HTMLElement> = {
  news: document.querySelector<HTMLElement>('#news')!,
  problem: document.querySelector<HTMLElement>('#problems')!,
};
const announcements = document.querySelector<HTMLElement>('#announcements')!;
const main = document.querySelector<HTMLElement>('main')!;

const NEWS_TIME_MS = 10_000;
/** More than these would cover the page: the oldest ones go. */
const MAX_NOTICES = 3;

export function tell(message: string, level: Level = 'news'): void {
  const list = lists[level];
  // A notice that is told again is shown once, as the latest.
  for (const old of list.querySelectorAll('.notice'))
    if (old.querySelector('.message')!.textContent === message) old.remove();
  const notice = document.createElement('div');
  notice.className = `notice ${level}`;
  const text = document.createElement('p');
  text.className = 'message';
  text.textContent = message;
  notice.append(text, closeButton(notice));
  list.append(notice);
  while (list.querySelectorAll('.notice').length > MAX_NOTICES) list.querySelector('.notice')!.remove();
  if (level === 'news') setTimeout(() => notice.remove(), NEWS_TIME_MS);
}

/** Takes news back that are no longer true. */
export function clearNews(): void {
  lists.news.replaceChildren();
}

function closeButton(notice: HTMLElement): HTMLElement {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'close';
  button.textContent = '×';
  button.ariaLabel = 'Close this message';
  button.addEventListener('click', () => {
    notice.remove();
    // The button had the focus, which would be lost with it.
    main.focus();
  });
  return button;
}

/** Tells those who can't see the page what others see happen on it. */
export function announce(message: string): void {
  const line = document.createElement('p');
  line.textContent = message;
  announcements.append(line);
  setTimeout(() => line.remove(), NEWS_TIME_MS);
}

const waiting = new Set<() => Promise<void>>();

/** The browser wants a click before it plays sound: one button for all that waits for it. */
export function allowPlayback(play: () => Promise<void>): void {
  waiting.add(play);
  if (waiting.size > 1) return;
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = 'Click to see and hear the others';
  button.addEventListener('click', () => {
    button.remove();
    main.focus();
    for (const start of waiting) start().catch(() => undefined);
    waiting.clear();
  });
  lists.problem.append(button);
}
