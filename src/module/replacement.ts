export interface Replacement {
  /** The name that is imported or required. */
  specifier: string;
  /** Of the module that is got instead. */
  url: string;
  /** Modules below this URL get the one that they ask for. */
  except: string;
}

export function replaces({ specifier, except }: Replacement, wanted: string, parentUrl: string | undefined): boolean {
  return wanted === specifier && !parentUrl?.startsWith(except);
}
