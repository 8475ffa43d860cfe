/** Names of a setting: `announcedAddress`, `--announced-address`, `MAFALDA_ANNOUNCED_ADDRESS`. */

export function argumentOf(name: string): string {
  return `--${kebab(name)}`;
}

export function variableOf(name: string): string {
  return `MAFALDA_${kebab(name).replaceAll('-', '_').toUpperCase()}`;
}

function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`);
}
