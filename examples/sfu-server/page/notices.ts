/** What the person has to be told, on top of the page. */

const notices = document.querySelector<HTMLElement>('#notices')!;
const NOTICE_TIME_MS = 10_000;

export function tell(message: string): void {
  const notice = document.createElement('p');
  notice.textContent = message;
  notices.append(notice);
  setTimeout(() => notice.remove(), NOTICE_TIME_MS);
}

const waiting = new Set<() => Promise<void>>();

/** The browser wants a click before it plays sound: one button for all that waits for it. */
export function allowPlayback(play: () => Promise<void>): void {
  waiting.add(play);
  if (waiting.size > 1) return;
  const button = document.createElement('button');
  button.textContent = 'Click to see and hear the others';
  button.addEventListener('click', () => {
    button.remove();
    for (const start of waiting) start().catch(() => undefined);
    waiting.clear();
  });
  notices.append(button);
}
