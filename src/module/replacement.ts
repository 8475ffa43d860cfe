export interface Replacement {
  /** The name that is imported or required. */
  specifier: string;
  /** Of the module that is got instead. */
  url: string;
  /** What is below this URL gets what it asks for. */
  except: string;
}

export function replaces({ specifier, except }: Replacement, wanted: string, parentUrl: string | undefined): boolean {
  return wanted === specifier && !parentUrl?.startsWith(except);
}
