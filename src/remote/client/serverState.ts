/** Facts that a server has told of itself: who it is, when a client comes, and its load, again and again. */
import type { LoadReport } from '../../api/load.ts';
import type { Welcome } from '../protocol/messages.ts';

export class ServerState {
  /** Latest load, in percent of all cores; 0 before the first report. */
  load = 0;
  /** Description of the server; undefined before it has answered. */
  welcome: Welcome | undefined;
  #report: LoadReport = { load: 0, workers: [], hosts: [] };

  /** Latest load report, with empty lists before the first report. */
  get loadReport(): LoadReport {
    return { ...this.#report, load: this.load };
  }

  set loadReport(report: LoadReport) {
    this.#report = report;
    this.load = report.load;
  }

  /** Whether the server is being drained by its operator. False before the first report. */
  get draining(): boolean {
    return this.#report.draining === true;
  }
}
