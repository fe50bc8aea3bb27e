/*
 * A connection table as a load balancer has it: buckets of one cache line and two connections, one bucket a connection
 * or more. Both of a bucket are compared without a branch between them, since which it is cannot be predicted.
 */
#ifndef CONNECTION_H
#define CONNECTION_H

#include <immintrin.h>

#include "node.h"

struct connection {
  /* Protocol 0: free. */
  struct tuple tuple;
  uint32_t dst;
  uint32_t port;
  uint32_t packets;
  uint32_t last_seen;
};

#define WAYS 2

struct bucket {
  struct connection ways[WAYS];
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct bucket) == 64, "a bucket is a cache line");

struct connections {
  struct bucket *buckets;
  uint32_t mask;
  uint32_t now;
};

extern struct connections connections;

/* Reads flows.bin of a folder (source, destination, ports, protocol, new destination, new port), and the node. */
void connections_open(const char *folder);

static inline unsigned is_of(const struct connection *connection, __m128i tuple)
{
  const __m128i equal = _mm_cmpeq_epi32(_mm_load_si128((const __m128i *)&connection->tuple), tuple);
  return _mm_movemask_epi8(equal) == 0xffff;
}

/* The connection of a tuple, from its bucket on; NULL for none. */
static inline struct connection *find_from(uint32_t at, const struct tuple *tuple)
{
  const __m128i wanted = _mm_loadu_si128((const __m128i *)tuple);
  for (;; at++) {
    struct bucket *bucket = &connections.buckets[at & connections.mask];
    const unsigned first = is_of(&bucket->ways[0], wanted), second = is_of(&bucket->ways[1], wanted);
    if (first | second) return &bucket->ways[second];
    if (bucket->ways[WAYS - 1].tuple.protocol == 0) return NULL;
  }
}

/* A packet of a known connection: counted, and sent where the connection goes. */
static inline void pass_on(struct packet_slot *packet, struct connection *connection, struct tuple *tuple)
{
  connection->packets++;
  connection->last_seen = connections.now;
  redirect(packet->frame + ETH_LEN, connection->dst, connection->port);
  tuple->dst = connection->dst;
  tuple->ports = (tuple->ports & 0xffff0000) | connection->port;
}

#endif
