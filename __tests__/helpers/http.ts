/** Requests to a server's port over HTTP, for what operators ask. */

/** The address for HTTP of a server whose URL is one of a WebSocket. */
export function httpUrl(url: string, path: string): string {
  return new URL(path, url.replace(/^ws/, 'http')).href;
}

/** Metrics as Prometheus reads them: values by name and labels, as they are written. */
export async function scrape(url: string, headers: Record<string, string> = {}): Promise<Map<string, number>> {
  const response = await fetch(httpUrl(url, '/metrics'), { headers });
  if (response.status !== 200) throw new Error(`/metrics: ${response.status} ${await response.text()}`);
  return parseMetrics(await response.text());
}

export function parseMetrics(text: string): Map<string, number> {
  const lines = text.split('\n').filter(line => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map(line => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}
