import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { buildProgram, fileBeside } from "./native.js";
import { quoted } from "./shell.js";

const MEMORY = "1500M";

/** What a command in another kernel came to. */
export interface UmlOutcome {
  readonly status: number;
  readonly output: string;
}

/**
 * Runs a command as root in user-mode Linux, a kernel of its own on this machine's files, which it cannot change.
 * `say` hears each line of what it complains of. Error where that kernel does not come up.
 */
export async function runInUml(command: readonly string[], say: (line: string) => void): Promise<UmlOutcome> {
  // Over there nothing can be compiled.
  for (const name of ["sender", "listener", "../ipvs/player", "../ipvs/sockets"] as const) buildProgram(name);
  const work = mkdtempSync(`${tmpdir()}/packetyard-uml-`);
  const at = (name: string) => `${work}/${name}`;
  try {
    const line = command.map(quoted).join(" ");
    writeFileSync(at("command"), `cd ${quoted(process.cwd())} && ${line} >${quoted(at("output"))}\n`);
    const boot = ["rootfstype=hostfs", "rootflags=/", "ro", `init=${fileBeside("uml-init")}`, `work=${work}`];
    const console_ = ["con=null", "con0=fd:0,fd:1", "quiet", "loglevel=3"];
    const told = await boots(["linux.uml", `mem=${MEMORY}`, "root=/dev/root", ...boot, ...console_], say);
    try {
      const status = Number(readFileSync(at("status"), "utf8"));
      return { status, output: readFileSync(at("output"), "utf8") };
    } catch (cause) {
      throw new Error(`User-mode Linux did not run its command: ${told.slice(-500)}`, { cause });
    }
  } finally {
    rmSync(work, { recursive: true });
  }
}

function boots([program = "", ...words]: readonly string[], say: (line: string) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    const machine = spawn(program, words, { stdio: ["ignore", "pipe", "inherit"] });
    let told = "";
    let rest = "";
    machine.stdout.on("data", (octets: Buffer) => {
      told += octets.toString();
      const lines = (rest + octets.toString()).split(/\r?\n/);
      rest = lines.pop() ?? "";
      for (const line of lines) say(line);
    });
    machine.once("error", reject);
    machine.once("close", () => resolve(told));
  });
}
