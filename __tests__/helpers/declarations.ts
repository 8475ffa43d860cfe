/** The declarations of the package as its users' compilers see them, and those of mediasoup. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('../../', import.meta.url));
const dist = `${root}dist/`;

interface Manifest {
  exports: Record<string, string | { types: string }>;
}

/** The files with the declarations of the package's entries, by the names that `exports` gives them. */
export const entries: ReadonlyMap<string, string> = new Map(
  Object.entries((JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as Manifest).exports).flatMap(
    ([name, target]) => (typeof target === 'string' ? [] : [[name, `${root}${target.types.slice(2)}`] as const]),
  ),
);

const mediasoupIndex = `${root}node_modules/mediasoup/node/lib/index.d.ts`;
const mediasoupTypes = `${root}node_modules/mediasoup/node/lib/types.d.ts`;

export class Declarations {
  readonly checker: ts.TypeChecker;
  readonly #program: ts.Program;

  constructor() {
    this.#program = ts.createProgram([...entries.values(), mediasoupIndex, mediasoupTypes], {
      module: ts.ModuleKind.NodeNext,
      target: ts.ScriptTarget.ES2023,
      strict: true,
      types: ['node'],
      noEmit: true,
    });
    this.checker = this.#program.getTypeChecker();
  }

  /** Exports of an entry, by name. */
  exportsOf(entry: string): Map<string, ts.Symbol> {
    return this.#exportsOfFile(entries.get(entry)!);
  }

  get mediasoup(): Map<string, ts.Symbol> {
    return this.#exportsOfFile(mediasoupIndex);
  }

  get mediasoupTypes(): Map<string, ts.Symbol> {
    return this.#exportsOfFile(mediasoupTypes);
  }

  /** Whether it is declared in this package. */
  isOurs(symbol: ts.Symbol): boolean {
    return symbol.declarations?.some(declaration => declaration.getSourceFile().fileName.startsWith(dist)) ?? false;
  }

  /** Where it is declared, for messages. */
  placeOf(symbol: ts.Symbol): string {
    return `${symbol.declarations?.[0]?.getSourceFile().fileName.replace(root, '')}: ${symbol.name}`;
  }

  /** Symbol that this one stands for, if it was declared elsewhere. */
  resolve(symbol: ts.Symbol): ts.Symbol {
    return symbol.flags & ts.SymbolFlags.Alias ? this.checker.getAliasedSymbol(symbol) : symbol;
  }

  propertiesOf(symbol: ts.Symbol): ts.Symbol[] {
    return this.checker.getPropertiesOfType(this.checker.getDeclaredTypeOfSymbol(symbol));
  }

  #exportsOfFile(file: string): Map<string, ts.Symbol> {
    const source = this.#program.getSourceFile(file);
    const module = source && this.checker.getSymbolAtLocation(source);
    if (!module) return new Map();
    return new Map(this.checker.getExportsOfModule(module).map(symbol => [symbol.name, this.resolve(symbol)] as const));
  }
}
