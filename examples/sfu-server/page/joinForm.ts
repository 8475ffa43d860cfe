/** The form by which a person joins. What is wrong stands beside the field that it is about, until it is mended. */

const form = document.querySelector<HTMLFormElement>('#join')!;
const button = form.querySelector<HTMLButtonElement>('button')!;
const problem = form.querySelector<HTMLElement>('#join-problem')!;

const fields = {
  name: form.querySelector<HTMLInputElement>('[name=name]')!,
  room: form.querySelector<HTMLInputElement>('[name=room]')!,
};
const missing = { name: 'Under which name shall the others see you?', room: 'Which room would you like to join?' };

type FieldName = keyof typeof fields;
const names = Object.keys(fields) as FieldName[];

/** Fills in what the address of the page says, and joins at once if it says everything. */
export function offerToJoin(join: (room: string, name: string) => void): void {
  const query = new URLSearchParams(location.search);
  for (const name of names) {
    fields[name].value = query.get(name) ?? fields[name].value;
    fields[name].addEventListener('input', () => showFieldProblem(name, ''));
  }
  form.addEventListener('submit', event => {
    event.preventDefault();
    problem.textContent = '';
    const wrong = names.filter(name => {
      const isMissing = fields[name].value.trim() === '';
      showFieldProblem(name, isMissing ? missing[name] : '');
      return isMissing;
    });
    if (wrong[0]) return fields[wrong[0]].focus();
    const [room, name] = [fields.room.value.trim(), fields.name.value.trim()];
    // This address is the one to send to others.
    if (!query.has('name')) history.replaceState(null, '', `?${new URLSearchParams({ room }).toString()}`);
    button.disabled = true;
    button.textContent = 'Joining…';
    join(room, name);
  });
  if (query.get('room') && query.get('name')) form.requestSubmit();
}

export function hideForm(): void {
  form.hidden = true;
}

/** Shows the form again, and why, if the person has not left by themselves. */
export function showForm(why = ''): void {
  form.hidden = false;
  button.disabled = false;
  button.textContent = 'Join';
  problem.textContent = why;
  button.focus();
}

function showFieldProblem(name: FieldName, text: string): void {
  form.querySelector<HTMLElement>(`#${name}-problem`)!.textContent = text;
  if (text) fields[name].setAttribute('aria-invalid', 'true');
  else fields[name].removeAttribute('aria-invalid');
}
