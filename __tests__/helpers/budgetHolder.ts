/** A process of its own that takes Workers from a budget, says so, and holds them until it is killed. */
import { WorkerBudget } from '../../src/local/workerBudget.ts';

const [file, max, count] = process.argv.slice(2);
const budget = new WorkerBudget({ file: file!, max: Number(max) });
for (let taken = 0; taken < Number(count); ++taken) await budget.take();
process.send!('taken');
process.on('disconnect', () => process.exit());
