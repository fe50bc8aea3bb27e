import { closeSync, existsSync, openSync, realpathSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { InputError } from "../../index.js";
import { UsageError } from "../errors.js";
import { systemReason } from "../system-reason.js";

/**
 * Refuses a place for the report before anything is measured: UsageError where it can be no file, InputError where
 * the system does not let it be written. Leaves nothing behind.
 */
export function checkReportPlace(file: string): void {
  if (!existsSync(dirname(file)))
    throw new UsageError(`--report ${file}: there is no folder ${dirname(file)}; make it first.`);
  const isFolder = existsSync(file) ? statSync(file).isDirectory() : /[/\\]$/.test(file);
  if (isFolder) throw new UsageError(`--report ${file}: is a folder; name a file in it.`);
  try {
    tryWriting(file);
  } catch (error) {
    const message = `cannot be written: ${systemReason(error)}.`;
    throw new InputError([{ severity: "error", place: { file }, message }]);
  }
}

/** As the report is written: into a draft beside the file, or into what is no regular file. */
function tryWriting(file: string): void {
  const path = existsSync(file) ? realpathSync(file) : file;
  if (existsSync(path) && !statSync(path).isFile()) {
    closeSync(openSync(path, "a"));
    return;
  }
  const draft = join(dirname(path), `.${basename(path)}.${process.pid}.part`);
  closeSync(openSync(draft, "wx"));
  rmSync(draft);
}
