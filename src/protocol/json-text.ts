/** A JSON text from a stranger: parsed only when that cannot cost more than its size suggests. */
import { isUtf8 } from "node:buffer";
import { refuse } from "./admission.js";
import type { Response } from "./message.js";

export interface TextLimits {
  readonly depth: number;
  readonly values: number;
}

/** About what a message, and each of its values, takes in memory beyond its text, in bytes. */
const perMessage = 1024;
const perValue = 64;

export function parseText(
  text: Buffer,
  limits: TextLimits,
): { readonly value: unknown; readonly cost: number } | { readonly refusal: Response } {
  if (!isUtf8(text)) return refuse(null, "the message is not valid UTF-8", "ParseError");
  const { depth, values } = measure(text);
  if (depth > limits.depth) return refuse(null, `a message is nested at most ${limits.depth} levels deep`);
  if (values > limits.values) return refuse(null, `a message has at most ${limits.values} values`);
  try {
    return { value: JSON.parse(text.toString("utf8")), cost: perMessage + text.length + values * perValue };
  } catch {
    return refuse(null, "the message is not JSON", "ParseError");
  }
}

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** How deep the text is nested, and about how many values it has: one per comma and one per opening bracket. */
function measure(text: Buffer): { depth: number; values: number } {
  let depth = 0;
  let deepest = 0;
  let values = 0;
  for (let at = 0; at < text.length; at++) {
    const byte = text[at];
    if (byte === quote) at = skipString(text, at);
    else if (byte === comma) values += 1;
    else if (byte === openBracket || byte === openBrace) {
      values += 1;
      depth += 1;
      if (depth > deepest) deepest = depth;
    } else if (byte === closeBracket || byte === closeBrace) depth -= 1;
  }
  return { depth: deepest, values };
}

/** Returns where the string ends that begins at `at`. */
function skipString(text: Buffer, at: number): number {
  let end = at + 1;
  while (end < text.length && text[end] !== quote) end += text[end] === backslash ? 2 : 1;
  return end;
}
