import type { BuildDetailView, LogLineView, SystemStatus } from "../../host/bindings";
import { foreignText, plainText } from "../../words/ansi";

/** What somebody who helps needs to know about a build, as plain text; texts of builds are free of secrets before they come here. */
export function problemReport(build: BuildDetailView, name: string, system: SystemStatus, log: LogLineView[]): string {
  const { failure, inputs } = build;
  const { engine } = system;
  const line = (what: string, value: string | number | null | undefined) => (value === null || value === undefined || value === "" ? [] : [`${what}: ${value}`]);
  const lines = [
    `Slipway ${system.version}`,
    ...line("Engine", engine.kind === "ready" ? engine.version : engine.kind),
    ...line("Build", `#${build.number} ${name} (${build.kind}, ${build.state})`),
    ...line("Ref", build.ref_name),
    ...line("Commit", build.commit?.id),
    ...line("Stage", build.stage),
    ...line("Dockerfile", inputs.dockerfile_path),
    ...line("Build directory", inputs.context_dir || "/"),
    ...line("Attempt", build.attempt),
    ...(failure ? ["", `Failure: ${failure.code}`, failure.message, ...Object.entries(failure.details ?? {}).map(([key, value]) => `  ${key}: ${value}`)] : []),
    ...(log.length > 0 ? ["", "End of the log:", ...log.map(({ text }) => `  ${plainText(text)}`)] : []),
    "",
  ];
  return lines.map(foreignText).join("\n");
}
