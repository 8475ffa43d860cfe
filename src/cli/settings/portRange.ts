/** A range of ports as a setting: `40000-40100` where it is written. */
import * as v from 'valibot';
import { expecting } from '../../api/optionsSchema.ts';
import { port, type OptionType } from '../../api/optionTypes.ts';
import { written } from '../../api/written.ts';

/** Range of ports, both included. */
export interface PortRange {
  min: number;
  max: number;
}

export const portRange: OptionType<PortRange> = written(
  'ports',
  expecting('a range of ports such as 40000-40100', v.object({ min: port, max: port })),
);
