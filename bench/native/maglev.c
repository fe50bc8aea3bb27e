/* Packet loop of a stateless load balancer: Maglev's table (65537 places) and DNAT. */
#include <stdlib.h>

#include "packet.h"

#define PLACES 65537

struct backend {
  uint32_t address, port;
};

static struct backend *backends;
static uint32_t *ring_places;

/* Reads backends.bin (address, port) and maglev.bin (a backend's number for each place). */
static void open_maglev(const char *folder)
{
  size_t octets;
  backends = read_file(folder, "backends.bin", &octets);
  const size_t count = octets / sizeof *backends;
  ring_places = read_file(folder, "maglev.bin", &octets);
  if (octets != PLACES * sizeof *ring_places) fail("maglev.bin holds %u places", PLACES);
  for (unsigned i = 0; i < PLACES; i++) {
    if (ring_places[i] >= count) fail("place %u names a backend that is not there", i);
  }
}

/* packetyard's hash of a 5-tuple (assembly/hash.ts), since both sides must choose the same: three multiplications. */
static inline uint32_t flow_hash(const struct tuple *tuple)
{
  const uint64_t a = 0x9e3779b97f4a7c15, b = 0xd6e8feb86659fd93, c = 0xa0761d6478bd642f;
  const uint64_t addresses = (((uint64_t)tuple->dst << 32 | tuple->src) ^ c) * a;
  const uint64_t rest = (((uint64_t)tuple->protocol << 32 | tuple->ports) ^ a) * b;
  return (uint32_t)(((addresses ^ (rest << 32 | rest >> 32)) * c) >> 32);
}

static void run(struct ring *ring)
{
  for (unsigned i = 0; i < RING_LEN; i++) {
    struct packet_slot *packet = &ring->packets[i];
    struct tuple tuple;
    if (!parse(packet->frame, packet->length, &tuple) || !has_ports(tuple.protocol)) continue;
    const uint32_t place = (uint32_t)(((uint64_t)flow_hash(&tuple) * PLACES) >> 32);
    const struct backend *backend = &backends[ring_places[place]];
    redirect(packet->frame + ETH_LEN, backend->address, backend->port);
    packet->out = 1;
  }
}

static const struct loop LOOPS[] = {{"loop", "C loop", run}};

const struct subject maglev_subject = {"maglev", open_maglev, NULL, LOOPS, 1, 0};
