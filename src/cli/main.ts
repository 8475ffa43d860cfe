#!/usr/bin/env node
/** Entry of the command line, `mafalda-horizontal`. */
import { runProgram } from './program.ts';
import { processTerminal } from './terminal.ts';

process.exitCode = await runProgram(process.argv.slice(2), processTerminal);
