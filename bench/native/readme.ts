const BEGIN = "<!-- bench:native begins: written by npm run bench:readme, not by hand -->";
const END = "<!-- bench:native ends -->";

/** The text with everything between the two markers replaced. Error when they are not there, once, in their order. */
export function replaceResults(text: string, results: string): string {
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin || text.indexOf(BEGIN, begin + 1) >= 0) {
    throw new Error(`The file needs a line «${BEGIN}» and, below it, a line «${END}».`);
  }
  return `${text.slice(0, begin + BEGIN.length)}\n${results}\n${text.slice(end)}`;
}
