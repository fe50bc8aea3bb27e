import { encapScenario, flowScenario, maglevScenario, tunnelScenario } from "./packet-scenarios.js";
import type { Scenario } from "./scenario.js";
import { buildScenario, hashScenario, k8sScenario, lpm4Scenario, lpm6Scenario } from "./table-scenarios.js";
import type { FullTable } from "./tables.js";

/** Everything that is measured; without a full table, what needs none. */
export function scenariosOf(full: FullTable | undefined): readonly Scenario[] {
  const whole = "whole way of an established packet";
  return [
    ...(full === undefined ? [] : [lpm4Scenario(full)]),
    k8sScenario(),
    ...(full === undefined ? [] : [lpm6Scenario(full), buildScenario(full)]),
    hashScenario("10k", 10_000, 0.5),
    hashScenario("1M", 1_000_000, 0.7),
    hashScenario("4M", 4_000_000, 0.9),
    encapScenario(),
    tunnelScenario("strip"),
    tunnelScenario("decap"),
    flowScenario("connection", "connection hit and DNAT", { label: "4k", flows: 4096, goal: 1 }),
    flowScenario("connection", "connection hit and DNAT", { label: "1M", flows: 1_000_000, goal: 0.4 }),
    maglevScenario(),
    flowScenario("whole", whole, { label: "10k", flows: 10_000, goal: 1 }),
    flowScenario("whole", whole, { label: "1M", flows: 1_000_000, goal: 1 }),
  ];
}
