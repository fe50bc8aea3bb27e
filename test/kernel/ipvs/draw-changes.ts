import type { Dice } from "../judge/dice.js";
import { drawHabits, drawServer, editedService, type Habits, SERVER_COUNT } from "./draw-services.js";
import type { Change, Server, Service } from "./scenario.js";

const FIRST_SERVERS = 5;

/** A service as it changes while a scenario is drawn: its servers, and those that left. */
export class ChangingService {
  readonly #habits: Habits;
  #service: Service;
  #servers: Server[] = [];
  #gone: Server[] = [];
  #next = 0;
  #isThere = false;

  readonly #suit: (service: Service) => Service;

  /** `suit`: makes a service one of those that the scenario may have. */
  constructor(service: Service, suit: (service: Service) => Service, dice: Dice, onlyTranslates: boolean) {
    this.#suit = suit;
    this.#service = suit(service);
    this.#habits = drawHabits(dice, onlyTranslates);
  }

  get service(): Service {
    return this.#service;
  }

  /** What makes it. */
  begin(dice: Dice): Change[] {
    const changes = [this.#add()];
    for (let count = 1 + dice.below(FIRST_SERVERS); count > 0; count--) changes.push(this.#addServer(dice));
    return changes;
  }

  #add(): Change {
    this.#isThere = true;
    return { do: "add", service: this.#service };
  }

  #addServer(dice: Dice): Change {
    const service = this.#service;
    const index = this.#next++ % SERVER_COUNT;
    const server = drawServer(service, index, this.#habits, dice);
    if (this.#servers.some(({ address, port }) => address === server.address && port === server.port)) {
      return this.#editServer(dice);
    }
    this.#gone = this.#gone.filter(({ address }) => address !== server.address);
    this.#servers.push(server);
    return { do: "addServer", service, server };
  }

  #return(dice: Dice): Change {
    const server = dice.of(this.#gone);
    const back = dice.percent(50) ? server : { ...server, weight: this.#habits.weight(dice) };
    this.#gone = this.#gone.filter((one) => one !== server);
    this.#servers.push(back);
    return { do: "addServer", service: this.#service, server: back };
  }

  #editServer(dice: Dice): Change {
    const at = dice.below(this.#servers.length);
    const old = this.#servers[at] as Server;
    const { upper, lower } = drawServer(this.#service, 0, this.#habits, dice);
    const weight = dice.percent(35) ? 0 : this.#habits.weight(dice);
    const server = dice.percent(70) ? { ...old, weight } : { ...old, weight, upper, lower };
    this.#servers[at] = server;
    return { do: "editServer", service: this.#service, server };
  }

  #removeServer(dice: Dice): Change {
    const [server] = this.#servers.splice(dice.below(this.#servers.length), 1) as [Server];
    this.#gone.push(server);
    return { do: "removeServer", service: this.#service, server };
  }

  /** It is edited, or goes and comes back with the same servers in another order. */
  #shake(dice: Dice): Change[] {
    if (dice.percent(70)) {
      this.#service = this.#suit(editedService(this.#service, dice));
      return [{ do: "edit", service: this.#service }];
    }
    const service = this.#service;
    const back = dice.some(this.#servers, this.#servers.length);
    this.#servers = back;
    const returns = back.map((server): Change => ({ do: "addServer", service, server }));
    return [{ do: "remove", service }, this.#add(), ...returns];
  }

  /** Something changes. */
  change(dice: Dice): Change[] {
    if (!this.#isThere || this.#servers.length === 0) return [this.#addServer(dice)];
    const what = dice.weighted([
      [3, "add"],
      [3, "return"],
      [5, "edit"],
      [4, "remove"],
      [1.5, "shake"],
    ] as const);
    if (what === "shake") return this.#shake(dice);
    if (what === "return" && this.#gone.length > 0) return [this.#return(dice)];
    if (what === "remove") return [this.#removeServer(dice)];
    return [what === "edit" ? this.#editServer(dice) : this.#addServer(dice)];
  }
}
