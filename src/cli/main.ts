#!/usr/bin/env node
/** Entry of the command line, `mafalda-horizontal`. */
import { runProgram } from './program.ts';
import { processTerminal } from './terminal.ts';

for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // A reader that is gone, such as `head`, ends neither a server nor a command.
    if (error.code !== 'EPIPE') throw error;
  });

process.exitCode = await runProgram(process.argv.slice(2), processTerminal);
