/** The way to a media server for `remote.ts`, in a process of its own: all that goes over it takes its time, each way. */
import { delayProxy } from '../../__tests__/helpers/delayProxy.ts';

const [target = '', delayMs] = process.argv.slice(2);
const { url } = await delayProxy(target, Number(delayMs));
process.on('disconnect', () => process.exit());
process.send!(url);
