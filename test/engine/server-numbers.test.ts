import { describe, expect, it } from "vitest";
import { Director } from "../../src/director.js";
import { Engine } from "../../src/engine/engine.js";
import type { RulesetChange } from "../../src/ruleset/change.js";
import type { ServiceAddress } from "../../src/ruleset/ipvs.js";

const at = (port: number): ServiceAddress => ({ protocol: "TCP", address: 0x0a600001, port });

/** The ports of virtual servers by their numbers. */
const ports = ({ engine }: Director) => engine.numbering.servers.map((server) => server?.port);

async function three(): Promise<Director> {
  const director = await Director.create();
  for (const port of [1, 2, 3]) director.add({ ...at(port), scheduler: "rr" });
  return director;
}

describe("a virtual server's number", () => {
  it("is its own again where it comes again while that is free", async () => {
    const director = await three();
    director.remove(at(1));
    director.remove(at(2));
    director.add({ ...at(2), scheduler: "rr" });
    expect(ports(director)).toEqual([undefined, 2, 3]);
    director.add({ ...at(4), scheduler: "rr" });
    expect(ports(director)).toEqual([4, 2, 3]);
    director.add({ ...at(1), scheduler: "rr" });
    expect(ports(director)).toEqual([4, 2, 3, 1]);
  });

  it("is given to others from the one that has been free for the longest", async () => {
    const director = await three();
    for (const port of [2, 3, 1]) director.remove(at(port));
    for (const port of [7, 8]) director.add({ ...at(port), scheduler: "rr" });
    expect(ports(director)).toEqual([undefined, 7, 8]);
  });

  it("stays as it was where a change is refused", async () => {
    const director = await three();
    director.remove(at(1));
    const { engine } = director;
    const server = { ...at(1), scheduler: "rr", servers: [], origin: "" } as const;
    const wrong: RulesetChange = [
      { kind: "server-set", server: { ...server, port: 5 } },
      { kind: "server-set", server: { ...server, port: 6 } },
      { kind: "server-removed", ...at(2) },
      { kind: "server-removed", ...at(9) },
    ];
    expect(() => engine.apply(wrong)).toThrow("no such virtual server");
    expect(ports(director)).toEqual([undefined, 2, 3]);
    director.add({ ...at(1), scheduler: "rr" });
    expect(ports(director)).toEqual([1, 2, 3]);
  });

  it("is kept by what is saved", async () => {
    const director = await three();
    director.remove(at(1));
    const again = await Engine.load(director.engine.save());
    expect(again.numbering.servers.map((server) => server?.port)).toEqual([undefined, 2, 3]);
  });
});
