/** A group of users, by its number or its name. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { UsageError } from "./usage-error.js";
import { quote } from "./words.js";

/** Returns the number. Throws a UsageError. */
export function findGroup(name: string): number {
  if (/^\d{1,9}$/.test(name)) return Number(name);
  const line = readGroups().find((each) => each.startsWith(`${name}:`)) ?? askSystem(name);
  const number = line?.split(":")[2];
  if (!number) throw new UsageError(`--ipc-group knows no group ${quote(name)}`);
  return Number(number);
}

function readGroups(): string[] {
  try {
    return readFileSync("/etc/group", "utf8").split("\n");
  } catch {
    return [];
  }
}

/** Groups may come from elsewhere, LDAP say; where there is no getent, there is no such place. */
function askSystem(name: string): string | undefined {
  try {
    return execFileSync("getent", ["group", "--", name], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
  } catch {
    return undefined;
  }
}
