/** What a kernel and kube-proxy's list of leaving servers hold, as one does what the other tells it. Right by inspection. */
export class GracefulNode {
  /** Real servers by virtual server, in the order of addition: their names, and their weights. */
  readonly kernel = new Map<string, { name: string; weight: number }[]>();
  readonly #leaving = new Set<string>();

  /** A sync: `wanted` by virtual server, its protocol in front (`TCP 10.96.0.1:80`); `busy` has `virtual real`. */
  sync(wanted: ReadonlyMap<string, readonly string[]>, busy: ReadonlySet<string>): void {
    for (const virtual of [...this.kernel.keys()]) {
      if (wanted.has(virtual)) continue;
      this.kernel.delete(virtual);
      for (const item of [...this.#leaving]) if (item.startsWith(`${virtual} `)) this.#leaving.delete(item);
    }
    for (const [virtual, names] of wanted) this.#syncOne(virtual, names, busy);
  }

  #syncOne(virtual: string, names: readonly string[], busy: ReadonlySet<string>): void {
    if (!this.kernel.has(virtual)) this.kernel.set(virtual, []);
    const there = this.#list(virtual).map(({ name }) => name);
    for (const name of names) {
      if (there.includes(name)) {
        if (!this.#leaving.has(`${virtual} ${name}`)) continue;
        this.#delete(virtual, name);
        this.#leaving.delete(`${virtual} ${name}`);
      }
      this.#list(virtual).push({ name, weight: 1 });
    }
    for (const name of there) {
      if (names.includes(name) || this.#leaving.has(`${virtual} ${name}`)) continue;
      if (this.#tryDelete(virtual, name, busy)) continue;
      for (const server of this.#list(virtual)) if (server.name === name) server.weight = 0;
      this.#leaving.add(`${virtual} ${name}`);
    }
  }

  /** What happens every minute. */
  flush(busy: ReadonlySet<string>): void {
    for (const [virtual, servers] of this.kernel)
      for (const { name } of [...servers])
        if (this.#leaving.has(`${virtual} ${name}`) && this.#tryDelete(virtual, name, busy))
          this.#leaving.delete(`${virtual} ${name}`);
  }

  #tryDelete(virtual: string, name: string, busy: ReadonlySet<string>): boolean {
    if (virtual.startsWith("TCP ") && busy.has(`${virtual} ${name}`)) return false;
    this.#delete(virtual, name);
    return true;
  }

  #delete(virtual: string, name: string): void {
    this.kernel.set(
      virtual,
      this.#list(virtual).filter((server) => server.name !== name),
    );
  }

  #list(virtual: string) {
    return this.kernel.get(virtual) ?? [];
  }
}
