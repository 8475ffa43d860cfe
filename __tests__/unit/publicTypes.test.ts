/** The package's declarations as an application sees them, and the page that compares them with mediasoup's. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { Declarations, entries } from '../helpers/declarations.ts';

let declarations: Declarations;

beforeAll(() => {
  declarations = new Declarations();
});

describe('the page on mediasoup’s members', () => {
  const page = readFileSync(new URL('../../docs/guides/from-mediasoup.md', import.meta.url), 'utf8');

  interface Row {
    names: string[];
    status: string;
    instead: string;
  }

  /** Rows of the table under a heading, as `event x`, `observer event x`, `member` or `method()`. */
  function rowsOf(heading: string): Row[] {
    const [, section = ''] = page.split(new RegExp(`^### ${heading}$`, 'm'));
    const rows = section.split(/^#/m)[0]!.matchAll(/^\| ([^|]*`[^|]*) \| (\w+) \| ?([^|]*)\|$/gm);
    return [...rows].map(([, cell = '', status = '', instead = '']) => {
      const [, prefix = ''] = /^((?:observer )?event)s? /.exec(cell) ?? [];
      return { names: [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => `${prefix} ${name}`.trim()), status, instead };
    });
  }

  const listedIn = (heading: string): string[] => rowsOf(heading).flatMap(({ names }) => names);

  const isMethod = (symbol: ts.Symbol): boolean =>
    declarations.checker.getTypeOfSymbol(symbol).getCallSignatures().length > 0;

  const nameOf = (symbol: ts.Symbol): string => (isMethod(symbol) ? `${symbol.name}()` : symbol.name);

  const emitterMembers = (): Set<string> => {
    const emitter = declarations.mediasoupTypes.get('Producer')!;
    const [base] = declarations.checker.getBaseTypes(
      declarations.checker.getDeclaredTypeOfSymbol(emitter) as ts.InterfaceType,
    );
    return new Set(declarations.checker.getPropertiesOfType(base!).map(({ name }) => name));
  };

  const namesOf = (type: string): string[] => {
    const symbol = declarations.mediasoupTypes.get(type);
    return symbol ? declarations.propertiesOf(symbol).map(({ name }) => name) : [];
  };

  /** Names that mediasoup's types have for an interface, without those of the interface that it extends. */
  function membersOf(name: string, base?: string): string[] {
    const inherited = new Set(base ? namesOf(base) : emitterMembers());
    const members = declarations
      .propertiesOf(declarations.mediasoupTypes.get(name)!)
      .filter(member => !inherited.has(member.name))
      .map(nameOf);
    const own = (type: string): string[] => {
      const known = new Set(base ? namesOf(`${base}${type}`) : []);
      return namesOf(`${name}${type}`).filter(event => !event.startsWith('@') && !known.has(event));
    };
    return [
      ...members,
      ...own('Events').map(event => `event ${event}`),
      ...own('ObserverEvents').map(event => `observer event ${event}`),
    ];
  }

  const bases: Record<string, string> = {
    WebRtcTransport: 'Transport',
    PlainTransport: 'Transport',
    PipeTransport: 'Transport',
    DirectTransport: 'Transport',
    AudioLevelObserver: 'RtpObserver',
    ActiveSpeakerObserver: 'RtpObserver',
  };

  test('has a table for each of mediasoup’s interfaces with events, and one for its module', () => {
    const headings = [...page.matchAll(/^### (\w+)$/gm)].map(([, heading]) => heading!);
    const interfaces = [...declarations.mediasoupTypes.values()].filter(
      symbol =>
        symbol.flags & ts.SymbolFlags.Interface &&
        declarations.propertiesOf(symbol).some(({ name }) => name === 'safeEmit'),
    );
    expect(headings.sort()).toEqual(['Module', ...interfaces.map(({ name }) => name)].sort());
  });

  test.each([
    'Worker',
    'Router',
    'Transport',
    'WebRtcTransport',
    'PlainTransport',
    'PipeTransport',
    'DirectTransport',
    'Producer',
    'Consumer',
    'DataProducer',
    'DataConsumer',
    'RtpObserver',
    'AudioLevelObserver',
    'ActiveSpeakerObserver',
    'WebRtcServer',
  ])('lists all members and events of %s, and no others', name => {
    expect(listedIn(name).sort()).toEqual(membersOf(name, bases[name]).sort());
  });

  test('lists all that mediasoup’s module exports, and nothing else', () => {
    const exported = [...declarations.mediasoup].map(([name, symbol]) => (isMethod(symbol) ? `${name}()` : name));
    const events = namesOf('ObserverEvents').map(event => `observer event ${event}`);
    expect(listedIn('Module').sort()).toEqual([...exported, ...events].sort());
  });

  test('says of each member of a Router whether a MafaldaRouter has it, and whether by a promise', () => {
    const members = new Map(
      declarations.propertiesOf(declarations.exportsOf('.').get('MafaldaRouter')!).map(member => [member.name, member]),
    );
    const router = new Map(
      declarations.propertiesOf(declarations.mediasoupTypes.get('Router')!).map(member => [member.name, member]),
    );
    const answersLater = (symbol: ts.Symbol): boolean => {
      const type = declarations.checker.getTypeOfSymbol(symbol);
      const result = type.getCallSignatures()[0]?.getReturnType() ?? type;
      return result.symbol?.name === 'Promise';
    };
    for (const { names, status, instead } of rowsOf('Router')) {
      for (const name of names.filter(listed => !listed.includes('event '))) {
        const [own, theirs] = [members.get(name.replace('()', '')), router.get(name.replace('()', ''))!];
        const replacing = members.get(/router\.(\w+)\(/.exec(instead)?.[1] ?? '');
        const found = {
          name,
          isThere: own !== undefined,
          isAsync: (own ?? replacing) && answersLater(own ?? replacing!),
        };
        if (status === 'absent') expect(found).toMatchObject({ name, isThere: false });
        else if (status === 'async') expect([found.isAsync, answersLater(theirs)]).toEqual([true, false]);
        else expect(found).toEqual({ name, isThere: true, isAsync: answersLater(theirs) });
      }
    }
    for (const name of listedIn('Module').filter(listed => !listed.includes('event '))) {
      const api = declarations.propertiesOf(declarations.exportsOf('.').get('MafaldaApi')!);
      expect(api.map(member => member.name)).not.toContain(name.replace('()', ''));
    }
  });
});

/** Declarations of all that the package exports, each once. */
function exported(): Set<ts.Symbol> {
  return new Set([...entries.keys()].flatMap(entry => [...declarations.exportsOf(entry).values()]));
}

const isHidden = (symbol: ts.Symbol): boolean =>
  /^(__|#)/.test(symbol.name) ||
  (symbol.declarations ?? []).some(
    declaration => ts.getCombinedModifierFlags(declaration) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected),
  );

describe('each public name', () => {
  const textOf = (symbol: ts.Symbol): string =>
    ts.displayPartsToString(symbol.getDocumentationComment(declarations.checker));

  const tagOf = (symbol: ts.Symbol, name: string): string | undefined => {
    const tag = symbol.getJsDocTags(declarations.checker).find(found => found.name === name);
    return tag && ts.displayPartsToString(tag.text);
  };

  /** Public members of our own, of classes, interfaces and object types. */
  const membersOf = (symbol: ts.Symbol): ts.Symbol[] =>
    symbol.flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Interface | ts.SymbolFlags.TypeAlias)
      ? declarations.propertiesOf(symbol).filter(member => declarations.isOurs(member) && !isHidden(member))
      : [];

  test('has a docstring, and so have its members', () => {
    const missing = new Set<string>();
    for (const symbol of exported()) {
      if (!declarations.isOurs(symbol)) continue;
      if (textOf(symbol) === '') missing.add(declarations.placeOf(symbol));
      for (const member of membersOf(symbol))
        if (textOf(member) === '') missing.add(`${declarations.placeOf(member)} (of ${symbol.name})`);
    }
    expect([...missing]).toEqual([]);
  });

  test('that is a class has an example', () => {
    const without = [...exported()].filter(
      symbol =>
        declarations.isOurs(symbol) &&
        symbol.flags & ts.SymbolFlags.Class &&
        !textOf(symbol).includes('```') &&
        tagOf(symbol, 'example') === undefined,
    );
    expect(without.map(({ name }) => name)).toEqual([]);
  });

  test('that is an option says its default, and its unit', () => {
    const wrong: string[] = [];
    for (const symbol of exported()) {
      if (!/Options$|^Limits$|^NodeLimits$/.test(symbol.name) || !declarations.isOurs(symbol)) continue;
      for (const member of membersOf(symbol)) {
        const text = textOf(member);
        const isRequired = !(member.flags & ts.SymbolFlags.Optional) && /Options$/.test(symbol.name);
        if (!isRequired && tagOf(member, 'default') === undefined)
          wrong.push(`${declarations.placeOf(member)}: @default`);
        if (/(timeout|interval|deadline|delay|after)$/i.test(member.name) && !/\bms\b/.test(text))
          wrong.push(`${declarations.placeOf(member)}: ms`);
        if (/bytes|payload/i.test(member.name) && !/\bbytes\b/i.test(text))
          wrong.push(`${declarations.placeOf(member)}: bytes`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test('is made of types that are exported too', () => {
    const known = exported();
    const missing = new Set<string>();
    const visit = (node: ts.Node, user: string): void => {
      if (ts.isClassElement(node) || ts.isParameter(node)) {
        const flags = ts.getCombinedModifierFlags(node);
        if (flags & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) return;
      }
      const name = nameIn(node);
      const symbol = name && declarations.checker.getSymbolAtLocation(name);
      const used = symbol && declarations.resolve(symbol);
      const isHere = used && declarations.isOurs(used) && !(used.flags & ts.SymbolFlags.TypeParameter);
      if (isHere && !known.has(used)) {
        // Inherited members count as the class's own; the class that it has them from needs no name.
        if (!isBaseOfClass(node)) missing.add(`${declarations.placeOf(used)} (used by ${user})`);
        else for (const member of inheritedFrom(used)) visit(member, user);
      }
      if (!isBaseOfClass(node)) ts.forEachChild(node, child => visit(child, user));
    };
    for (const symbol of known)
      if (declarations.isOurs(symbol)) for (const node of symbol.declarations ?? []) visit(node, symbol.name);
    expect([...missing].sort()).toEqual([]);
  });
});

/** The name by which a node refers to a type. */
function nameIn(node: ts.Node): ts.Node | undefined {
  if (ts.isTypeReferenceNode(node)) return node.typeName;
  if (ts.isExpressionWithTypeArguments(node)) return node.expression;
  if (ts.isImportTypeNode(node)) return node.qualifier;
  if (ts.isTypeQueryNode(node)) return node.exprName;
  return undefined;
}

function isBaseOfClass(node: ts.Node): boolean {
  return ts.isExpressionWithTypeArguments(node) && ts.isClassDeclaration(node.parent.parent);
}

function inheritedFrom(base: ts.Symbol): ts.ClassElement[] {
  const classes = base.declarations?.filter(ts.isClassDeclaration) ?? [];
  return classes.flatMap(({ members }) => members.filter(member => !ts.isConstructorDeclaration(member)));
}
