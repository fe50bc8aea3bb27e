/* Packet loops of a tunnel's two ends: route, TTL and encapsulation; decapsulation alone, and with the inner route. */
#include <stdlib.h>

#include "node.h"

/* What the node takes tunnelled packets by: address, port and VNI of tunnel.bin. */
static struct {
  uint32_t address, port, vni;
} tunnel;

static void encap_run(struct ring *ring)
{
  for (unsigned i = 0; i < RING_LEN; i++) {
    struct packet_slot *packet = &ring->packets[i];
    struct tuple tuple;
    if (parse(packet->frame, packet->length, &tuple)) forward(packet, &tuple);
  }
}

/* Takes the outer headers off; false for what is not this tunnel's. */
static inline bool strip(struct packet_slot *packet)
{
  struct tuple outer;
  const uint8_t *udp = packet->frame + ETH_LEN + IP_LEN, *vxlan = udp + UDP_LEN;
  if (!parse(packet->frame, packet->length, &outer) || outer.protocol != PROTO_UDP) return false;
  if (outer.dst != tunnel.address || (outer.ports & 0xffff) != tunnel.port) return false;
  const uint32_t length = get16(udp + 4);
  if (length < UDP_LEN + VXLAN_LEN + ETH_LEN || length > packet->length - ETH_LEN - IP_LEN) return false;
  if ((vxlan[0] & VXLAN_FLAG_VNI) == 0 || get32(vxlan + 4) >> 8 != tunnel.vni) return false;
  packet->frame += OUTER_LEN;
  packet->length = length - UDP_LEN - VXLAN_LEN;
  return true;
}

static void strip_run(struct ring *ring)
{
  for (unsigned i = 0; i < RING_LEN; i++) {
    struct packet_slot *packet = &ring->packets[i];
    packet->out = strip(packet);
  }
}

static void decap_run(struct ring *ring)
{
  for (unsigned i = 0; i < RING_LEN; i++) {
    struct packet_slot *packet = &ring->packets[i];
    struct tuple tuple;
    if (strip(packet) && parse(packet->frame, packet->length, &tuple)) forward(packet, &tuple);
  }
}

static void open_tunnel(const char *folder)
{
  size_t octets;
  void *file = read_file(folder, "tunnel.bin", &octets);
  if (octets != sizeof tunnel) fail("tunnel.bin holds an address, a port and a VNI");
  memcpy(&tunnel, file, sizeof tunnel);
  free(file);
  node_open(folder);
}

static const struct loop ENCAP[] = {{"loop", "C loop", encap_run}};
static const struct loop STRIP[] = {{"loop", "C loop", strip_run}};
static const struct loop DECAP[] = {{"loop", "C loop", decap_run}};

const struct subject encap_subject = {"encap", node_open, NULL, ENCAP, 1, 0};
const struct subject strip_subject = {"strip", open_tunnel, NULL, STRIP, 1, 0};
const struct subject decap_subject = {"decap", open_tunnel, NULL, DECAP, 1, 0};
