/** Reads settings that are written as texts: arguments, environment variables, and some values of files. */
import { readFileSync } from 'node:fs';
import type { WrittenForm } from '../../api/written.ts';
import type { PortRange } from './portRange.ts';

const MILLISECONDS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/**
 * Reads the text of a setting, as an argument or a variable gives it. What it reads is checked by the library's own
 * options.
 * @throws {TypeError} if the text is of another kind
 */
export function readText(form: WrittenForm, text: string): unknown {
  switch (form) {
    case 'text':
      return text;
    case 'number':
      return toNumber(text);
    case 'duration':
      return toDuration(text);
    case 'flag':
      return toFlag(text);
    case 'list':
      return text
        .split(',')
        .map(item => item.trim())
        .filter(Boolean);
    case 'ports':
      return toPorts(text);
    case 'file':
      return toContent(text);
    case 'json':
      return toJson(text);
    default:
      return form satisfies never;
  }
}

/** Reads a value of a file of settings. Texts there may stand for durations, ranges and files as in arguments. */
export function readValue(form: WrittenForm, value: unknown): unknown {
  const isWritten = form === 'duration' || form === 'ports' || form === 'file';
  return isWritten && typeof value === 'string' ? readText(form, value) : value;
}

function toNumber(text: string): number {
  const number = Number(text);
  if (text.trim() === '' || Number.isNaN(number)) throw new TypeError(`${JSON.stringify(text)} is no number`);
  return number;
}

function toDuration(text: string): number {
  const [, number, unit = 'ms'] = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h)?$/.exec(text.trim()) ?? [];
  if (number === undefined) throw new TypeError(`${JSON.stringify(text)} is no duration: 500ms, 30s, 10m, 1h`);
  return Number(number) * MILLISECONDS[unit as keyof typeof MILLISECONDS];
}

function toFlag(text: string): boolean {
  if (/^(true|1|yes|on)$/i.test(text)) return true;
  if (/^(false|0|no|off)$/i.test(text)) return false;
  throw new TypeError(`${JSON.stringify(text)} is neither true nor false`);
}

function toPorts(text: string): PortRange {
  const [, min, max] = /^(\d+)-(\d+)$/.exec(text.trim()) ?? [];
  const range = { min: Number(min), max: Number(max) };
  if (!(range.min >= 1 && range.max <= 65_535 && range.min <= range.max))
    throw new TypeError(`${JSON.stringify(text)} is no range of ports: 40000-40100`);
  return range;
}

function toContent(text: string): string {
  // PEM itself, as a variable from a store of secrets may have it.
  if (text.startsWith('-----BEGIN')) return text;
  try {
    return readFileSync(text, 'utf8');
  } catch (error) {
    throw new TypeError(`${text} can't be read: ${(error as Error).message}`, { cause: error });
  }
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new TypeError(`${JSON.stringify(text)} is no JSON: ${(error as Error).message}`, { cause: error });
  }
}
