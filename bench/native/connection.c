/*
 * Packet loops of a known connection: find it and rewrite the destination; and an established packet's whole way,
 * as two loops one after the other and as one.
 */
#include "connection.h"

#include <stdlib.h>

#define STAGE 32

struct flow_row {
  struct tuple tuple;
  uint32_t dst, port;
};

struct connections connections;

static void insert(const struct flow_row *row)
{
  for (uint32_t at = hash_tuple(&row->tuple);; at++) {
    struct bucket *bucket = &connections.buckets[at & connections.mask];
    for (unsigned way = 0; way < WAYS; way++) {
      if (bucket->ways[way].tuple.protocol != 0) continue;
      bucket->ways[way] = (struct connection){.tuple = row->tuple, .dst = row->dst, .port = row->port};
      return;
    }
  }
}

void connections_open(const char *folder)
{
  size_t octets, room = 1;
  struct flow_row *rows = read_file(folder, "flows.bin", &octets);
  const size_t count = octets / sizeof *rows;
  while (room < count) room *= 2;
  connections.buckets = take(room * sizeof *connections.buckets);
  connections.mask = (uint32_t)room - 1;
  for (size_t i = 0; i < count; i++) insert(&rows[i]);
  free(rows);
  node_open(folder);
}

static inline struct connection *find(const struct tuple *tuple)
{
  return find_from(hash_tuple(tuple), tuple);
}

/* Finds and rewrites, packet by packet; `out` is 1 where the connection is known. */
static void hit_plain(struct ring *ring)
{
  for (unsigned i = 0; i < RING_LEN; i++) {
    struct packet_slot *packet = &ring->packets[i];
    struct tuple tuple;
    if (!parse(packet->frame, packet->length, &tuple)) continue;
    struct connection *connection = find(&tuple);
    if (connection == NULL) continue;
    pass_on(packet, connection, &tuple);
    packet->out = 1;
  }
}

/* The same in groups: all parsed and their places prefetched before the first is looked at. */
static void hit_staged(struct ring *ring)
{
  struct tuple tuples[STAGE];
  uint32_t places[STAGE];
  bool whole[STAGE];
  for (unsigned first = 0; first < RING_LEN; first += STAGE) {
    struct packet_slot *packets = &ring->packets[first];
    for (unsigned i = 0; i < STAGE; i++) {
      whole[i] = parse(packets[i].frame, packets[i].length, &tuples[i]);
      places[i] = whole[i] ? hash_tuple(&tuples[i]) : 0;
      __builtin_prefetch(&connections.buckets[places[i] & connections.mask], 1);
    }
    for (unsigned i = 0; i < STAGE; i++) {
      struct connection *connection = whole[i] ? find_from(places[i], &tuples[i]) : NULL;
      if (connection == NULL) continue;
      pass_on(&packets[i], connection, &tuples[i]);
      packets[i].out = 1;
    }
  }
}

static void forward_all(struct ring *ring)
{
  for (unsigned i = 0; i < RING_LEN; i++) {
    struct packet_slot *packet = &ring->packets[i];
    struct tuple tuple;
    if (packet->out != 0 && parse(packet->frame, packet->length, &tuple)) forward(packet, &tuple);
  }
}

static void whole_sum(struct ring *ring)
{
  hit_plain(ring);
  forward_all(ring);
}

static void whole_staged_sum(struct ring *ring)
{
  hit_staged(ring);
  forward_all(ring);
}

static void whole_one(struct ring *ring)
{
  for (unsigned i = 0; i < RING_LEN; i++) {
    struct packet_slot *packet = &ring->packets[i];
    struct tuple tuple;
    if (!parse(packet->frame, packet->length, &tuple)) continue;
    struct connection *connection = find(&tuple);
    if (connection == NULL) continue;
    pass_on(packet, connection, &tuple);
    forward(packet, &tuple);
  }
}

static const struct loop HIT[] = {
    {"loop", "C loop", hit_plain},
    {"prefetch", "C loop in groups of 32 with prefetch", hit_staged},
};
static const struct loop WHOLE[] = {
    {"loop", "C loops, their sum", whole_sum},
    {"one", "C, everything in one loop", whole_one},
    {"prefetch", "C loops with prefetch, their sum", whole_staged_sum},
};

const struct subject connection_subject = {"connection", connections_open, NULL, HIT, 2, 0};
const struct subject whole_subject = {"whole", connections_open, NULL, WHOLE, 3, 0};
