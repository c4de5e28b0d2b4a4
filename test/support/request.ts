/**
 * One request over a connection of its own that is closed afterwards, so that no idle connection delays a
 * drain.
 */
import { request } from "node:http";

export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Target {
  readonly host: string;
  readonly port: number;
}

export function get(target: Target, path = "/"): Promise<Answer> {
  const answer = new Promise<Answer>((resolve, reject) => {
    const sent = request({ host: target.host, port: target.port, path, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("error", reject);
      response.on("end", () => {
        try {
          resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) });
        } catch {
          reject(new Error(`${path}: not JSON: ${text}`));
        }
      });
    });
    sent.setTimeout(15_000, () => sent.destroy(new Error(`${path}: no answer in 15 s`)));
    sent.on("error", reject);
    sent.end();
  });
  // A test may await it much later, and has failed for another reason by then.
  answer.catch(() => undefined);
  return answer;
}
