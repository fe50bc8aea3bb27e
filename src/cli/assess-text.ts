import { type Assessment, type AssessmentFinding, byCategory } from "../report/assessment.js";
import { packetWords, reachWords, summaryWords } from "../report/assessment-section.js";
import { modeName } from "../report/mode.js";
import { paint } from "./paint.js";
import { wrap } from "./wrap.js";

function printFinding(
  finding: AssessmentFinding,
  number: number,
  assessment: Assessment,
  columns: number,
): string {
  const { about, advice, effect, example } = finding;
  const { to } = assessment;
  const lines = [
    ["   ", reachWords(finding, assessment)],
    ["   packet    ", packetWords(example, to)],
    ["   ipvs      ", `${example.before.verdict}: ${example.before.text}`],
    [`   ${to.padEnd(8)}  `, `${example.after.verdict}: ${example.after.text}`],
    ...(advice === "" ? [] : [["   to do     ", advice]]),
  ] as const;
  return [
    wrap(`${number}. `, `[${effect}] ${about}`, columns),
    ...lines.map(([label = "", text = ""]) => wrap(label, text, columns)),
    "",
  ].join("\n");
}

/** For people, in lines of so many columns. */
export function printAssessment(assessment: Assessment, columns: number): string {
  const { to, schedulers, nodes } = assessment;
  const on = `${nodes.length === 1 ? "node" : "nodes"} ${nodes.join(", ")}`;
  const head = wrap("", `From IPVS (${schedulers.join(", ")}) to ${modeName(to)}, ${on}`, columns);
  let number = 0;
  const told = byCategory(assessment).map(([{ title, text }, findings]) => {
    const intro = text === "" ? "" : `${wrap("", text, columns)}\n`;
    const each = findings.map((finding) => {
      number++;
      return printFinding(finding, number, assessment, columns);
    });
    return `${paint("bold", title)}\n${intro}\n${each.join("\n")}\n`;
  });
  return `${head}\n\n${told.join("")}${wrap("", summaryWords(assessment), columns)}\n`;
}
