/** Words for the shell on the other host: ssh joins its arguments with blanks and has that shell take them apart again. */

export function quoteWords(words: readonly string[]): string {
  return words.map(quoteWord).join(" ");
}

/** A path of a program there: a leading `~/` is left to the shell, which knows the home directory. */
export function quoteProgram(path: string): string {
  return path.startsWith("~/") ? `~/${quoteWord(path.slice(2))}` : quoteWord(path);
}

function quoteWord(word: string): string {
  if (/^[\w@%+:,./-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
