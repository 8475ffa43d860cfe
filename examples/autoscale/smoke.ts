/** For CI: the example checks by itself that everything goes as it says, and fails otherwise. */
import './autoscale.ts';
