/* A connection table as a load balancer has it: open addressing, one cache line a connection, at most half full. */
#ifndef CONNECTION_H
#define CONNECTION_H

#include "node.h"

struct connection {
  struct tuple tuple;
  uint32_t dst, port;
  /* 0: free. */
  uint32_t state;
  uint32_t last_seen;
  uint64_t packets, octets;
} __attribute__((aligned(64)));

struct connections {
  struct connection *entries;
  uint32_t mask;
  uint32_t now;
};

extern struct connections connections;

/* Reads flows.bin of a folder (source, destination, ports, protocol, new destination, new port), and the node. */
void connections_open(const char *folder);

static inline bool is_of(const struct connection *connection, const struct tuple *tuple)
{
  return memcmp(&connection->tuple, tuple, sizeof *tuple) == 0;
}

/* The connection of a tuple, from its first place on; NULL for none. */
static inline struct connection *find_from(uint32_t at, const struct tuple *tuple)
{
  for (;; at++) {
    struct connection *connection = &connections.entries[at & connections.mask];
    if (connection->state == 0) return NULL;
    if (is_of(connection, tuple)) return connection;
  }
}

/* A packet of a known connection: counted, and sent where the connection goes. */
static inline void pass_on(struct packet_slot *packet, struct connection *connection, struct tuple *tuple)
{
  connection->packets++;
  connection->octets += packet->length;
  connection->last_seen = connections.now;
  redirect(packet->frame + ETH_LEN, connection->dst, connection->port);
  tuple->dst = connection->dst;
  tuple->ports = (tuple->ports & 0xffff0000) | connection->port;
}

#endif
