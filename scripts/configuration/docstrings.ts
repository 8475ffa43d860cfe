/** Docstrings of options: the members of all interfaces of the sources. */
import { readdirSync, readFileSync } from 'node:fs';
import ts from 'typescript';

export interface Docs {
  text: string;
  /** Text of `@default`. */
  fallback: string;
}

/** @throws {Error} if no interface has a docstring for the option, with a default unless it is required */
export function docsOf(interfaces: readonly string[], option: string): Docs {
  const found = interfaces.map(name => docstrings().get(`${name}.${option}`)).find(docs => docs !== undefined);
  if (!found) throw new Error(`${interfaces.join(', ')}: no docstring of ${option}`);
  return found;
}

let known: Map<string, Docs> | undefined;

/** Docstrings of the members of all interfaces, by `Interface.member`. */
function docstrings(): Map<string, Docs> {
  if (known) return known;
  known = new Map();
  const folder = new URL('../../src/', import.meta.url);
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.ts'))) {
    const source = readFileSync(new URL(file, folder), 'utf8');
    for (const statement of ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true).statements) {
      if (!ts.isInterfaceDeclaration(statement)) continue;
      for (const member of statement.members) {
        const [comment] = ts.getJSDocCommentsAndTags(member).filter(ts.isJSDoc);
        if (!comment || !member.name) continue;
        const fallback = comment.tags?.find(({ tagName }) => tagName.text === 'default')?.comment;
        known.set(`${statement.name.text}.${member.name.getText()}`, {
          text: toLine(comment.comment),
          fallback: toLine(fallback),
        });
      }
    }
  }
  return known;
}

function toLine(comment: string | ts.NodeArray<ts.JSDocComment> | undefined): string {
  return (ts.getTextOfJSDocComment(comment) ?? '').replace(/\s+/g, ' ').trim();
}
