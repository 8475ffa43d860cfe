/** All commands. */
import type { Command } from './command.ts';
import { cluster } from './commands/cluster.ts';
import { doctor } from './commands/doctor.ts';
import { drain } from './commands/drain.ts';
import { serve } from './commands/serve.ts';
import { status } from './commands/status.ts';

export const commands: readonly Command[] = [serve, cluster, status, drain, doctor];

/** Names of the settings of all commands: a variable for one of them may be there while another one runs. */
export const knownSettings: readonly string[] = [...new Set(commands.flatMap(({ settings }) => Object.keys(settings)))];
