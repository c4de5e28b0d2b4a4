// A reporter for node's test runner: writes down which files had a failing test, one path a line, each once.
import { resolve } from "node:path";

// biome-ignore lint/style/noDefaultExport: where the runner looks for a reporter
export default async function* reportFailedFiles(events) {
  const seen = new Set();
  for await (const { type, data } of events) {
    if (type !== "test:fail") continue;
    // A file that died before its first test is told as a test of that name.
    const file = resolve(data.file ?? data.name);
    if (seen.has(file)) continue;
    seen.add(file);
    yield `${file}\n`;
  }
}
