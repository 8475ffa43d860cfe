/** The example checks by itself what it shows, and ends. For CI. */
import './central.ts';
