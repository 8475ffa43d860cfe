/** Replacement of a module by another. */
export interface Replacement {
  /** Name that is imported or required. */
  specifier: string;
  /** URL of the replacing module. */
  url: string;
  /** URL below which modules get the original module. */
  except: string;
}

export function replaces({ specifier, except }: Replacement, wanted: string, parentUrl: string | undefined): boolean {
  return wanted === specifier && !parentUrl?.startsWith(except);
}
