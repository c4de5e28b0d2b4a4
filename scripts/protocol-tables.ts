/** The tables of protocol.md, as Markdown. */
import { errorTable, protocolErrorTable } from "../src/protocol/errors.js";
import { crowdLimits, limits } from "../src/protocol/limits.js";
import { type Field, type Hop, readHops, readLimits, readShapes, type Shape } from "./protocol-source.js";

/** What no source says: who calls whom. */
const directions: Readonly<Record<string, string>> = {
  Daemon: "Served by the daemon, called by the command line and any other client.",
  Watcher: "Served by a client, called by the daemon.",
  Master: "Served by the master, called by the daemon.",
  Host: "Served by the daemon, called by the master.",
  Worker: "Served by naught's part of a worker, called by the master.",
  Supervisor: "Served by the master, called by naught's part of a worker.",
};

/** Errors that never travel: a client makes them up for itself. */
export const local: readonly string[] = ["Lost", "OlderPeer", "InvalidAnswer", "NotRunning", "Unreachable"];

export const tables: Readonly<Record<string, (root: string) => string>> = {
  limits: (root) => table(["limit", "value", "what"], readLimits(root).map(limitRow)),
  methods: (root) => readHops(root).map(methodSection).join("\n\n"),
  types: (root) => readShapes(root).filter(isTold).map(typeSection).join("\n\n"),
  events: (root) => {
    const events = readShapes(root).find(({ name }) => name === "EventName")?.values ?? [];
    return table(
      ["name", "when"],
      events.map(({ text, doc }) => [text.replaceAll('"', ""), doc]),
    );
  },
  errors: () =>
    table(
      ["name", "code", "words", "exit", "met"],
      Object.entries(errorTable).map(([name, { code, words, exit }]) => [
        name,
        String(code),
        words,
        String(exit),
        local.includes(name) ? "made by the client" : "on the wire",
      ]),
    ),
  "protocol-errors": () =>
    table(
      ["name", "code", "words"],
      Object.entries(protocolErrorTable).map(([name, { code, words }]) => [name, String(code), words]),
    ),
};

function limitRow({ name, doc }: Field): string[] {
  const value = ({ ...limits, ...crowdLimits } as unknown as Readonly<Record<string, number>>)[name] ?? 0;
  return [`\`${name}\``, value >= 2 ** 20 ? `${value / 2 ** 20} MiB` : String(value), doc];
}

function methodSection({ name, actor, methods }: Hop): string {
  const rows = methods.map((method) => [
    `\`${actor}/${method.name}\``,
    method.kind,
    link(method.params),
    method.result === undefined ? "–" : link(method.result),
    method.handle ?? "",
    method.doc,
  ]);
  const columns = ["method", "kind", "params", "result", "handle", "what"];
  return `### ${name}\n\n${directions[name] ?? ""}\n\n${table(columns, rows)}`;
}

function isTold({ name }: Shape): boolean {
  return name !== "EventName";
}

function typeSection({ name, doc, bases, fields, values }: Shape): string {
  const head = `### ${name}\n\n${doc}${bases.length > 0 ? ` All fields of ${bases.map(link).join(" and ")}, and:` : ""}`;
  if (values.length > 0) return `${head}\n\n\`${values.map(({ text }) => text).join(" | ")}\``;
  if (fields.length === 0) return head;
  const rows = fields.map((field) => [
    `\`${field.name}\`${field.optional ? " (optional)" : ""}`,
    `${link(field.type)}${describeTags(field.tags)}`,
    field.doc,
  ]);
  return `${head}\n\n${table(["field", "type", "what"], rows)}`;
}

function describeTags(tags: readonly string[]): string {
  const words = tags.map((tag) =>
    tag
      .replace(/^type /, "")
      .replace(/^minimum /, "at least ")
      .replace(/^format /, ""),
  );
  return words.length > 0 ? `, ${words.join(", ")}` : "";
}

function link(type: string): string {
  const [, name, rest = ""] = /^([A-Z]\w+)(\[\]| \| null)?$/.exec(type) ?? [];
  if (name === undefined) return `\`${type}\``;
  const words = rest === "[]" ? ", an array" : rest === "" ? "" : ", or null";
  return `[${name}](#${name === "EventName" ? "events" : name.toLowerCase()})${words}`;
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(columns), line(columns.map(() => "---")), ...rows.map(line)].join("\n");
}
